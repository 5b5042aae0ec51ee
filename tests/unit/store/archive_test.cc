// A data folder as commands see it: with what a crash left in the log, and with a server on it.
#include "store/archive.h"

#include "store/names.h"
#include "store/rename.h"
#include "store_fixture.h"

#include <fstream>

namespace ringroom::store {
namespace {

void write(RunningStore& store, std::string_view class_name, std::string_view room, int value) {
  RoomStore in(*store, {class_name, room}, 0);
  run(in, "CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (?)", {value});
  store.turn();
}

void destroy(RunningStore& store, std::string_view class_name, std::string_view room) {
  RoomStore in(*store, {class_name, room}, 0);
  in.destroy();
  store.turn();
}

std::vector<std::string> list(const std::string& folder) {
  Archive archive;
  EXPECT_EQ(archive.open_to_list(folder), "");
  std::vector<std::string> names;
  for (const std::string& class_name : archive.classes()) {
    std::vector<StoredRoom> found;
    EXPECT_EQ(archive.rooms(class_name, found), "");
    for (const StoredRoom& room : found) {
      EXPECT_EQ(room.bytes % page_bytes, 0U);
      EXPECT_GT(room.changed_ms, 0);
      names.push_back(room.class_name + "/" + room.room);
    }
  }
  return names;
}

std::string values(const std::string& folder, std::string_view class_name, std::string_view room) {
  Archive archive;
  EXPECT_EQ(archive.open_to_read(folder), "");
  const auto rows = archive.read(class_name, room, "SELECT group_concat(a) FROM t");
  return rows ? rows->front()[0].text() : "none";
}

TEST(Archive, HasWhatTheFilesHaveAndTheLogToo) {
  TemporaryFolder folder;
  const std::string long_name(900, 'x');
  {
    RunningStore store(folder.path());
    write(store, "Quiz", "b c", 1);
    write(store, "Quiz", long_name, 2);
    write(store, "Chat", "gone", 3);
    store.stop();
  }
  {
    RunningStore store(folder.path());
    write(store, "Quiz", "b c", 4);
    write(store, "Chat", "lobby", 5);
    destroy(store, "Chat", "gone");
    // Killed: nothing of it is in the files.
  }
  EXPECT_EQ(list(folder.path()),
            (std::vector<std::string>{"Chat/lobby", "Quiz/b c", "Quiz/" + long_name}));
  EXPECT_EQ(values(folder.path(), "Quiz", "b c"), "1,4");
  EXPECT_EQ(values(folder.path(), "Quiz", long_name), "2");
  EXPECT_EQ(values(folder.path(), "Chat", "lobby"), "5");
  EXPECT_EQ(values(folder.path(), "Chat", "gone"), "none");
  EXPECT_EQ(values(folder.path(), "Chat", "never"), "none");
}

// A segment that only has parts of a page, of which the file has the others.
TEST(Archive, PutsPartsOfPagesOverTheFile) {
  TemporaryFolder folder;
  std::string expected;
  {
    StoreOptions options;
    options.segment_bytes = 16 * page_bytes;
    RunningStore store(folder.path(), options);
    for (int i = 0; i < 60; ++i) {
      write(store, "Quiz", "lobby", i);
      expected += (i == 0 ? "" : ",") + std::to_string(i);
    }
  }
  EXPECT_TRUE(
      std::filesystem::exists(database_path(folder.path(), database_name("Quiz", "lobby"))));
  EXPECT_EQ(values(folder.path(), "Quiz", "lobby"), expected);
  ASSERT_EQ(recover(folder.path()), "");
  EXPECT_EQ(values(folder.path(), "Quiz", "lobby"), expected);
}

TEST(Archive, WritesNothing) {
  TemporaryFolder folder;
  RunningStore store(folder.path());
  write(store, "Quiz", "lobby", 1);
  store.stop();
  Archive archive;
  ASSERT_EQ(archive.open_to_read(folder.path()), "");
  for (const char* query : {"INSERT INTO t VALUES (2)", "DROP TABLE t", "PRAGMA user_version = 7",
                            "ATTACH '/tmp/x' AS x", "BEGIN; DELETE FROM t"}) {
    EXPECT_THROW(archive.read("Quiz", "lobby", query), SqlError) << query;
  }
  EXPECT_EQ(values(folder.path(), "Quiz", "lobby"), "1");
}

TEST(Archive, LeavesAFolderThatAServerUses) {
  TemporaryFolder folder;
  FolderLock lock;
  ASSERT_EQ(lock.take(folder.path()), "");
  Archive archive;
  EXPECT_NE(archive.open_to_read(folder.path()).find("is used by a running server"),
            std::string::npos);
  EXPECT_EQ(Archive().open_to_list(folder.path()), "");
  EXPECT_NE(Archive().open_to_list(folder.path() + "/no").find("name the server's data folder"),
            std::string::npos);
}

TEST(Archive, TellsADamagedRoomByItsFile) {
  TemporaryFolder folder;
  const std::string path =
      database_path(folder.path(), database_name("Quiz", std::string(900, 'x')));
  ASSERT_EQ(make_folders(path.substr(0, path.rfind('/'))), 0);
  std::ofstream(path) << std::string(8192, 'x');
  const auto names = list(folder.path());
  ASSERT_EQ(names.size(), 1U);
  EXPECT_TRUE(names.front().starts_with("Quiz/=")) << names.front();
}

// ---- A class with another name

TEST(RenamedClass, HasTheRooms) {
  TemporaryFolder folder;
  {
    RunningStore store(folder.path());
    write(store, "Old", "a", 1);
    store.stop();
  }
  EXPECT_EQ(rename_class(folder.path(), "Old", "New"), "");
  EXPECT_EQ(list(folder.path()), std::vector<std::string>{"New/a"});
  EXPECT_EQ(rename_class(folder.path(), "Old", "New"), "");
  EXPECT_EQ(values(folder.path(), "New", "a"), "1");
}

// As a crash in between leaves it, or a server of each name in turn.
TEST(RenamedClass, GetsTheRoomsThatItLacks) {
  TemporaryFolder folder;
  {
    RunningStore store(folder.path());
    write(store, "Old", "a", 1);
    write(store, "Old", "b", 2);
    write(store, "New", "b", 3);
    store.stop();
  }
  EXPECT_EQ(rename_class(folder.path(), "Old", "New"), "");
  EXPECT_EQ(list(folder.path()), (std::vector<std::string>{"New/a", "New/b", "Old/b"}));
  EXPECT_EQ(values(folder.path(), "New", "b"), "3");
  EXPECT_EQ(values(folder.path(), "Old", "b"), "2");
}

}  // namespace
}  // namespace ringroom::store
