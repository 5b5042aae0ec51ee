// The index of a shard's alarms: its order, what a crash leaves, and another number of shards.
#include "store/alarm_index.h"

#include "store/alarm_move.h"
#include "store/log_format.h"
#include "store/names.h"
#include "store_fixture.h"

#include <functional>

namespace ringroom::store {
namespace {

constexpr Identity lobby{.class_name = "Lab", .room = "lobby"};
constexpr Identity hall{.class_name = "Lab", .room = "hall"};
constexpr Identity other{.class_name = "Other", .room = "lobby"};

std::string shown(const std::vector<Alarm>& alarms) {
  std::string text;
  for (const Alarm& alarm : alarms) {
    text += std::to_string(alarm.time_ms) + ' ' + alarm.class_name + '/' + alarm.room + '\n';
  }
  return text;
}

TEST(AlarmIndex, GivesAlarmsInTheOrderOfTheirTimes) {
  RunningStore store;
  AlarmIndex index(*store, alarms_name(0, 1));
  EXPECT_EQ(shown(index.after({}, 9)), "");
  index.cover(lobby, 30);
  index.cover(other, 20);
  index.cover(hall, 30);
  EXPECT_EQ(shown(index.after({}, 9)), "20 Other/lobby\n30 Lab/hall\n30 Lab/lobby\n");
  EXPECT_EQ(shown(index.after({}, 1)), "20 Other/lobby\n");
  EXPECT_EQ(shown(index.after({30, "Lab", "hall"}, 9)), "30 Lab/lobby\n");
  EXPECT_EQ(shown(index.after({30, "", ""}, 9)), "30 Lab/hall\n30 Lab/lobby\n");
}

TEST(AlarmIndex, CoveringNeverMakesLaterAndSettlingDoes) {
  RunningStore store;
  AlarmIndex index(*store, alarms_name(0, 1));
  index.settle(lobby, std::nullopt);  // there is nothing yet
  index.cover(lobby, 30);
  index.cover(lobby, 40);
  EXPECT_EQ(shown(index.after({}, 9)), "30 Lab/lobby\n");
  index.cover(lobby, 20);
  EXPECT_EQ(shown(index.after({}, 9)), "20 Lab/lobby\n");
  index.settle(lobby, 50);
  EXPECT_EQ(shown(index.after({}, 9)), "50 Lab/lobby\n");
  index.settle(lobby, std::nullopt);
  EXPECT_EQ(shown(index.after({}, 9)), "");
}

TEST(AlarmIndex, WhatCoversIsInTheLogBeforeTheRoomsWrite) {
  TemporaryFolder folder;
  {
    RunningStore store(folder.path());
    RoomStore room(*store, lobby, 0);
    AlarmIndex index(*store, alarms_name(0, 1));
    run(room, "CREATE TABLE t (a)");
    index.cover(lobby, 30);
    EXPECT_EQ(store.turn(), (std::vector{Committed::logged, Committed::logged}));
  }
  std::vector<std::string> names;
  for (const std::string& path : list_files(log_folder(folder.path()))) {
    File file;
    ASSERT_EQ(file.open(path, Access::read), 0);
    std::vector<std::byte> bytes(file.size());
    ASSERT_GE(file.read(bytes, 0), 0);
    SegmentReader reader(bytes);
    if (!reader.is_segment()) continue;  // the next one, being made
    while (const auto commit = reader.next()) names.emplace_back(commit->database);
  }
  EXPECT_EQ(names, (std::vector{alarms_name(0, 1), database_name("Lab", "lobby")}));
}

TEST(AlarmIndex, IsThereAfterACrash) {
  TemporaryFolder folder;
  {
    RunningStore store(folder.path());
    AlarmIndex index(*store, alarms_name(0, 1));
    index.cover(lobby, 30);
    store.turn();
  }
  ASSERT_EQ(recover(folder.path()), "");
  EXPECT_EQ(list_files(folder.path() + "/alarms"),
            std::vector{folder.path() + "/alarms/0-of-1.db"});
  RunningStore store(folder.path());
  AlarmIndex index(*store, alarms_name(0, 1));
  EXPECT_EQ(shown(index.after({}, 9)), "30 Lab/lobby\n");
  index.cover(hall, 20);
  store.turn();
  index.reopen();
  EXPECT_EQ(shown(index.after({}, 9)), "20 Lab/hall\n30 Lab/lobby\n");
}

unsigned by_length(std::string_view, std::string_view room, unsigned shards) {
  return static_cast<unsigned>(room.size() % shards);
}

std::string room_name(unsigned number) {
  return std::string(number % 7 + 1, 'r') + std::to_string(number);
}

// All alarms of a run with so many shards, and that each is where its room lives.
std::string alarms_of(const std::string& folder, unsigned shards) {
  std::vector<Alarm> all;
  RunningStore store(folder);
  for (unsigned shard = 0; shard < shards; ++shard) {
    AlarmIndex index(*store, alarms_name(shard, shards));
    for (Alarm& alarm : index.after({}, 1000)) {
      EXPECT_EQ(by_length("", alarm.room, shards), shard);
      all.push_back(std::move(alarm));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Alarm& a, const Alarm& b) { return a.time_ms < b.time_ms; });
  store.stop();
  return shown(all);
}

TEST(AlarmIndex, GoesAlongWhenTheNumberOfShardsChanges) {
  TemporaryFolder folder;
  ASSERT_EQ(move_alarms(folder.path(), 2, by_length), "") << "nothing is there";
  std::string expected;
  {
    RunningStore store(folder.path());
    AlarmIndex first(*store, alarms_name(0, 2));
    AlarmIndex second(*store, alarms_name(1, 2));
    for (unsigned i = 0; i < 100; ++i) {
      const std::string room = room_name(i);
      AlarmIndex& index = by_length("", room, 2) == 0 ? first : second;
      index.cover({"Lab", room}, 1000 + i);
      expected += std::to_string(1000 + i) + " Lab/" + room + '\n';
    }
    store.turn();
  }
  ASSERT_EQ(recover(folder.path()), "");
  for (const unsigned shards : {2U, 5U, 1U, 3U}) {
    ASSERT_EQ(move_alarms(folder.path(), shards, by_length), "");
    EXPECT_LE(list_files(folder.path() + "/alarms").size(), shards);
    EXPECT_EQ(alarms_of(folder.path(), shards), expected) << shards;
  }
}

TEST(AlarmIndex, TheEarlierTimeCountsWhenACrashLeftTwo) {
  TemporaryFolder folder;
  {
    RunningStore store(folder.path());
    AlarmIndex old(*store, alarms_name(0, 2));
    AlarmIndex now(*store, alarms_name(0, 1));
    old.cover(lobby, 30);
    now.cover(lobby, 20);
    old.cover(hall, 10);
    now.cover(hall, 20);
    store.turn();
  }
  ASSERT_EQ(recover(folder.path()), "");
  ASSERT_EQ(move_alarms(folder.path(), 1, by_length), "");
  EXPECT_EQ(alarms_of(folder.path(), 1), "10 Lab/hall\n20 Lab/lobby\n");
}

TEST(AlarmIndex, GoesAlongWithTheNameOfAClass) {
  TemporaryFolder folder;
  {
    RunningStore store(folder.path());
    AlarmIndex first(*store, alarms_name(0, 2));
    AlarmIndex second(*store, alarms_name(1, 2));
    first.cover({"Old", "even"}, 10);
    second.cover({"Old", "odd"}, 20);
    second.cover({"Lab", "hut"}, 30);
    store.turn();
  }
  ASSERT_EQ(recover(folder.path()), "");
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(move_alarms(folder.path(), 2, by_length, {{"Old", "New"}}), "");
    EXPECT_EQ(alarms_of(folder.path(), 2), "10 New/even\n20 New/odd\n30 Lab/hut\n");
  }
  ASSERT_EQ(move_alarms(folder.path(), 1, by_length, {{"New", "Last"}}), "");
  EXPECT_EQ(alarms_of(folder.path(), 1), "10 Last/even\n20 Last/odd\n30 Lab/hut\n");
}

// Rooms with something planned, one that has nothing planned any more, one that never had, and
// one whose name is too long for a file.
std::string fill_with_rooms(const std::string& folder) {
  RunningStore store(folder);
  std::string expected;
  for (unsigned i = 0; i < 50; ++i) {
    const std::string room = i == 7 ? std::string(300, 'r') : room_name(i);
    RoomStore planner(*store, {"Lab", room}, 0);
    run(planner, "CREATE TABLE t (a)");
    if (i == 8) continue;
    planner.database().run_own("CREATE TABLE cf_agents_jobs (time INTEGER)", {});
    if (i == 9) continue;
    const SqlValue times[] = {2000 + i, 1000 + i};
    planner.database().run_own("INSERT INTO cf_agents_jobs VALUES (?), (?)", times);
    expected += std::to_string(1000 + i) + " Lab/" + room + '\n';
  }
  store.turn();
  store.stop();
  return expected;
}

void damage(const std::string& path) {
  File file;
  ASSERT_EQ(file.open(path, Access::write), 0);
  const std::vector<std::byte> rubbish(8192, std::byte{42});
  ASSERT_EQ(file.write(rubbish, 0), 0);
}

TEST(AlarmIndex, ADamagedOneIsMadeAnewFromTheRooms) {
  for (const unsigned shards_before : {1U, 2U, 3U}) {
    TemporaryFolder folder;
    const std::string expected = fill_with_rooms(folder.path());
    damage(folder.path() + "/" + alarms_name(0, shards_before));
    for (int i = 0; i < 2; ++i) {
      ASSERT_EQ(move_alarms(folder.path(), 2, by_length), "");
      EXPECT_EQ(alarms_of(folder.path(), 2), expected) << shards_before;
    }
    EXPECT_EQ(list_files(folder.path() + "/alarms").size(), 2U);
  }
}

// Behind its first page, where only reading all of it or a query finds that.
TEST(AlarmIndex, OneThatAQueryFailedInIsCheckedByTheNextStart) {
  TemporaryFolder folder;
  const std::string expected = fill_with_rooms(folder.path());
  const std::string path = folder.path() + "/" + alarms_name(0, 1);
  damage(path);
  ASSERT_EQ(move_alarms(folder.path(), 1, by_length), "");
  {
    File file;
    ASSERT_EQ(file.open(path, Access::write), 0);
    ASSERT_EQ(file.write(std::vector<std::byte>(8192, std::byte{42}), 4096), 0);
  }
  ASSERT_EQ(move_alarms(folder.path(), 1, by_length, {}, Check::doubted), "");
  {
    RunningStore store(folder.path());
    {
      AlarmIndex index(*store, alarms_name(0, 1));
      EXPECT_THROW(static_cast<void>(index.after({}, 100)), SqlError);
    }
    store.stop();
  }
  ASSERT_EQ(move_alarms(folder.path(), 1, by_length, {}, Check::doubted), "");
  EXPECT_EQ(alarms_of(folder.path(), 1), expected);
  EXPECT_EQ(list_files(folder.path() + "/alarms").size(), 1U);
}

// What a crash between setting it aside and the new one leaves.
TEST(AlarmIndex, IsMadeAnewAtTheNextStartIfThatWasCutShort) {
  TemporaryFolder folder;
  const std::string expected = fill_with_rooms(folder.path());
  damage(folder.path() + "/" + alarms_name(0, 1) + ".damaged.db");
  ASSERT_EQ(move_alarms(folder.path(), 1, by_length), "");
  EXPECT_EQ(alarms_of(folder.path(), 1), expected);
  EXPECT_EQ(list_files(folder.path() + "/alarms").size(), 1U);
}

TEST(AlarmIndex, ARoomThatCannotBeReadKeepsNoOtherOut) {
  TemporaryFolder folder;
  const std::string expected = fill_with_rooms(folder.path());
  damage(database_path(folder.path(), database_name("Lab", "broken")));
  damage(folder.path() + "/" + alarms_name(0, 1));
  ASSERT_EQ(move_alarms(folder.path(), 1, by_length), "");
  EXPECT_EQ(alarms_of(folder.path(), 1), expected);
}

}  // namespace
}  // namespace ringroom::store
