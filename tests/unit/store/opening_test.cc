// Files that the kernel has forgotten: they are asked for before a room is used, and nothing that
// the helper does meanwhile is taken for something else.
#include "sim_disk.h"
#include "store/names.h"
#include "store/store.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <unistd.h>

namespace ringroom::store {
namespace {

constexpr Identity lobby{.class_name = "Lab", .room = "lobby"};
constexpr Identity other{.class_name = "Lab", .room = "other"};

class Opening : public testing::Test {
 protected:
  Opening() {
    disk_.make_current();
    disk_.set_memory(SimDisk::Memory::never);
    start();
  }
  ~Opening() override { stop(); }

  void start() {
    helper_ = std::make_unique<Helper>("data", Access::direct);
    StoreOptions options;
    options.open_max = options.files_max = 2;
    options.segment_bytes = 64 << 10U;
    store_ = std::make_unique<Store>(helper_.get(), options);
  }
  void stop() {
    store_->finish();
    store_.reset();
    helper_.reset();
  }
  void restart() {
    stop();
    start();
  }

  static std::string text(RoomStore& room) {
    return room.database().run("SELECT text FROM t", {}).front()[0].text();
  }
  void write(RoomStore& room, const std::string& text) {
    const SqlValue values[] = {text};
    room.database().run("CREATE TABLE IF NOT EXISTS t (text)", {});
    room.database().run("DELETE FROM t", {});
    room.database().run("INSERT INTO t VALUES (?)", values);
    commit();
  }
  void commit() {
    store_->commit_turn(
        [](RoomStore&, Committed committed) { EXPECT_EQ(committed, Committed::logged); });
    while (!store_->is_idle()) carry_out();
  }
  void carry_out() {
    store_->read_answers();
    const auto write = store_->next_write();
    if (!write) return static_cast<void>(::usleep(100));
    const int failed = disk_.write(write->descriptor, write->bytes, write->offset);
    store_->written(failed != 0 ? failed : disk_.sync(write->descriptor));
  }
  /// Fills segments until the helper has written one back.
  void checkpoint() {
    RoomStore room(*store_, other, 1);
    const std::uint64_t before = store_->counts().written_back;
    for (int i = 0; store_->counts().written_back == before && i < 1000; ++i) {
      write(room, std::string(20'000, static_cast<char>('a' + i % 20)));
      ::usleep(1000);
      store_->read_answers();
    }
    EXPECT_GT(store_->counts().written_back, before);
  }
  int look_up(const FileToOpen& file) { return disk_.open(file.path, false); }
  /// The name of the database that was found; empty: it is asked for once more.
  std::string give(std::uint32_t id, int result) {
    std::string found;
    store_->opened(id, result, [&](const std::string& name) { found = name; });
    return found;
  }

  SimDisk disk_;
  std::unique_ptr<Helper> helper_;
  std::unique_ptr<Store> store_;
};

TEST_F(Opening, NothingIsAskedForAClassThatNeverWrote) {
  EXPECT_EQ(store_->find(lobby), Found::nowhere);
  EXPECT_FALSE(store_->is_opening());
}

TEST_F(Opening, AFileIsAskedForOnceAndFound) {
  {
    RoomStore room(*store_, lobby, 0, Found::nowhere);
    write(room, "hello");
  }
  restart();
  EXPECT_EQ(store_->find(lobby), Found::opening);
  EXPECT_EQ(store_->find(lobby), Found::opening);
  const auto file = store_->next_open();
  ASSERT_TRUE(file.has_value());
  EXPECT_FALSE(store_->next_open().has_value());
  const int opened = look_up(*file);
  store_->opened(file->id, opened, [&](const std::string& name) {
    EXPECT_EQ(name, database_name("Lab", "lobby"));
    ASSERT_EQ(store_->find(lobby), Found::here);
    RoomStore room(*store_, lobby, 0, Found::here);
    EXPECT_EQ(text(room), "hello");
  });
  EXPECT_FALSE(store_->is_opening());
  EXPECT_EQ(store_->find(lobby), Found::opening);  // nobody holds it any more
}

TEST_F(Opening, ARoomWithoutAFileIsNowhere) {
  {
    RoomStore room(*store_, other, 0, Found::nowhere);
    write(room, "hello");
  }
  EXPECT_EQ(store_->find(lobby), Found::opening);
  const auto file = store_->next_open();
  ASSERT_TRUE(file.has_value());
  disk_.set_memory(SimDisk::Memory::always);
  EXPECT_EQ(give(file->id, look_up(*file)), database_name("Lab", "lobby"));
  EXPECT_EQ(store_->find(lobby), Found::nowhere);
}

TEST_F(Opening, WhatTheHelperMadeMeanwhileIsLookedForAgain) {
  {
    RoomStore room(*store_, lobby, 0, Found::nowhere);
    write(room, "hello");
    RoomStore more[] = {{*store_, {"Lab", "a"}, 0, Found::nowhere},
                        {*store_, {"Lab", "b"}, 0, Found::nowhere}};
    for (RoomStore& each : more) write(each, "takes the place of the first");
  }
  EXPECT_EQ(store_->find(lobby), Found::opening);
  const auto before = store_->next_open();
  ASSERT_TRUE(before.has_value());
  ASSERT_EQ(look_up(*before), -ENOENT);
  checkpoint();
  EXPECT_EQ(give(before->id, -ENOENT), "");
  std::set<std::string> found;
  while (const auto again = store_->next_open()) found.insert(give(again->id, look_up(*again)));
  EXPECT_TRUE(found.contains(database_name("Lab", "lobby")));
  RoomStore room(*store_, lobby, 0);
  EXPECT_EQ(text(room), "hello");
}

TEST_F(Opening, WhoReadsGoesOnFromTheFileWhenThatIsOpen) {
  RoomStore room(*store_, lobby, 0, Found::nowhere);
  write(room, "hello");
  checkpoint();
  EXPECT_TRUE(store_->is_opening());
  EXPECT_EQ(text(room), "hello");
  while (const auto file = store_->next_open()) give(file->id, look_up(*file));
  EXPECT_EQ(text(room), "hello");
  write(room, "again");
  EXPECT_EQ(text(room), "again");
}

TEST_F(Opening, AFileThatCouldNotBeReadIsLookedAtAgainByAQuery) {
  {
    RoomStore room(*store_, lobby, 0, Found::nowhere);
    write(room, "hello");
  }
  restart();
  EXPECT_EQ(store_->find(lobby), Found::opening);
  const auto file = store_->next_open();
  ASSERT_TRUE(file.has_value());
  store_->opened(file->id, -EACCES, [&](const std::string&) {
    ASSERT_EQ(store_->find(lobby), Found::here);
    RoomStore room(*store_, lobby, 0, Found::here);
    EXPECT_EQ(text(room), "hello");
  });
}

TEST_F(Opening, NoMoreFilesAreOpenThanTheirBound) {
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.push_back("room" + std::to_string(i));
  for (const std::string& name : names) {
    RoomStore room(*store_, {.class_name = "Lab", .room = name}, 0, Found::nowhere);
    write(room, name);
  }
  restart();
  disk_.set_memory(SimDisk::Memory::always);
  const std::size_t before = disk_.files_open();
  std::vector<std::unique_ptr<RoomStore>> rooms;
  for (const std::string& name : names) {
    const Identity identity{.class_name = "Lab", .room = name};
    ASSERT_EQ(store_->find(identity), Found::here);
    rooms.push_back(std::make_unique<RoomStore>(*store_, identity, 0, Found::here));
    EXPECT_LE(disk_.files_open(), before + 3);  // one is found before another one goes
  }
  for (std::size_t i = 0; i < rooms.size(); ++i) EXPECT_EQ(text(*rooms[i]), names[i]);
  EXPECT_LE(disk_.files_open(), before + 3);
  EXPECT_LE(store_->open_databases(), 2U);
}

}  // namespace
}  // namespace ringroom::store
