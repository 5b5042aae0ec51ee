// A store from turn to turn, and from one run of the server to the next.
#include "store/names.h"
#include "store/rename.h"
#include "store_fixture.h"

#include <fstream>

#include <sys/wait.h>

namespace ringroom::store {
namespace {

constexpr Identity lobby{.class_name = "Lab", .room = "lobby"};

StoreOptions with(Durability durability) {
  StoreOptions options;
  options.durability = durability;
  return options;
}

std::int64_t count(RoomStore& room) {
  return run(room, "SELECT count(*) FROM t").front()[0].integer();
}

void check_integrity(RoomStore& room) {
  EXPECT_EQ(run(room, "PRAGMA integrity_check").front()[0].text(), "ok");
}

class StoreTest : public testing::TestWithParam<Durability> {
 protected:
  StoreOptions options = with(GetParam());
  TemporaryFolder folder;
};
INSTANTIATE_TEST_SUITE_P(Durability,
                         StoreTest,
                         testing::Values(Durability::strict, Durability::process),
                         [](const auto& test) {
                           return test.param == Durability::strict ? "strict" : "process";
                         });

TEST_P(StoreTest, WhatWasWrittenIsThereAfterARestart) {
  {
    RunningStore store(folder.path(), options);
    RoomStore room(*store, lobby, 0);
    run(room, "CREATE TABLE t (a)");
    run(room, "INSERT INTO t VALUES (1)");
    EXPECT_EQ(store.turn(), std::vector{Committed::logged});
  }
  // The server was killed: all is in the log.
  EXPECT_FALSE(
      std::filesystem::exists(database_path(folder.path(), database_name("Lab", "lobby"))));
  ASSERT_EQ(recover(folder.path()), "");
  RunningStore store(folder.path(), options);
  RoomStore room(*store, lobby, 0);
  EXPECT_EQ(count(room), 1);
  check_integrity(room);
}

// A folder in the place of its file stops root too.
TEST_P(StoreTest, AStartGoesOnWithoutARoomWhoseFileCannotBeWritten) {
  const std::string name = database_name("Lab", "kept");
  const std::string path = database_path(folder.path(), name);
  {
    RunningStore store(folder.path(), options);
    RoomStore kept(*store, {"Lab", "kept"}, 0);
    run(kept, "CREATE TABLE t (a)");
    run(kept, "INSERT INTO t VALUES (1)");
    RoomStore other(*store, lobby, 1);
    run(other, "CREATE TABLE t (a)");
    store.turn();
  }
  std::filesystem::create_directories(path);
  for (int start = 0; start < 3; ++start) {
    Leftover leftover(folder.path());
    ASSERT_EQ(recover(folder.path(), &leftover), "");
    EXPECT_TRUE(leftover.holds(name));
    EXPECT_NE(rename_class(folder.path(), "Lab", "New", leftover.behind().get()), "");
    EXPECT_EQ(rename_class(folder.path(), "La", "New", leftover.behind().get()), "");
    RunningStore store(folder.path(), options, std::move(leftover));
    RoomStore other(*store, lobby, 1);
    EXPECT_EQ(count(other), start);
    run(other, "INSERT INTO t VALUES (2)");
    RoomStore kept(*store, {"Lab", "kept"}, 0);
    const std::string why = cause_of_failure(kept, "SELECT * FROM t");
    EXPECT_NE(why.find(path + ": Is a directory (a folder is in its place"), std::string::npos)
        << why;
    EXPECT_EQ(cause_of_failure(kept, "CREATE TABLE t (a)"), why);
    EXPECT_THROW(static_cast<void>(kept.existing()), SqlError);
    EXPECT_THROW(static_cast<void>(store->read({"Lab", "kept"}, "SELECT 1")), SqlError);
    EXPECT_EQ(store.turn(), std::vector{Committed::logged});
    if (start < 2) continue;  // killed
    std::filesystem::remove(path);
    while (!cause_of_failure(kept, "SELECT * FROM t").empty()) ::usleep(10'000);
    EXPECT_EQ(count(kept), 1);
    run(kept, "INSERT INTO t VALUES (3)");
    EXPECT_EQ(store.turn(), std::vector{Committed::logged});
  }
  EXPECT_TRUE(has_segments(folder.path()));
  ASSERT_EQ(recover(folder.path()), "");
  EXPECT_FALSE(has_segments(folder.path()));
  RunningStore store(folder.path(), options);
  RoomStore kept(*store, {"Lab", "kept"}, 0);
  EXPECT_EQ(count(kept), 2);
  check_integrity(kept);
}

// Without it nothing that is due would be found.
TEST_P(StoreTest, AStartIsRefusedIfAnIndexCannotBeWritten) {
  {
    RunningStore store(folder.path(), options);
    RoomStore index(*store, alarms_name(0, 1));
    index.database().run_own("CREATE TABLE t (a)", {});
    store.turn();
  }
  const std::string path = database_path(folder.path(), alarms_name(0, 1));
  std::filesystem::create_directories(path);
  Leftover leftover(folder.path());
  const std::string why = recover(folder.path(), &leftover);
  EXPECT_TRUE(why.starts_with("cannot write " + path + ": Is a directory")) << why;
}

TEST_P(StoreTest, AnOrderlyEndLeavesNoLog) {
  RunningStore store(folder.path(), options);
  {
    RoomStore room(*store, lobby, 0);
    run(room, "CREATE TABLE t (a)");
  }
  store.stop();
  EXPECT_TRUE(list_files(log_folder(folder.path())).empty());
  RunningStore again(folder.path(), options);
  RoomStore room(*again, lobby, 0);
  EXPECT_EQ(count(room), 0);
}

TEST_P(StoreTest, ARoomThatOnlyReadsHasNoFile) {
  RunningStore store(folder.path(), options);
  {
    RoomStore room(*store, lobby, 0);
    EXPECT_TRUE(run(room, "SELECT * FROM sqlite_master").empty());
    EXPECT_NE(cause_of_failure(room, "UPDATE nope SET a = 1"), "");
    EXPECT_TRUE(store.turn().empty());
  }
  store.stop();
  EXPECT_FALSE(
      std::filesystem::exists(database_path(folder.path(), database_name("Lab", "lobby"))));
}

TEST_P(StoreTest, WhereNothingIsNothingIsOpened) {
  {
    RunningStore store(folder.path(), options);
    RoomStore room(*store, lobby, 0);
    EXPECT_EQ(room.existing(), nullptr);
    EXPECT_EQ(store->open_databases(), 0U);
    run(room, "CREATE TABLE t (a)");
    EXPECT_EQ(room.existing(), &room.database());
    EXPECT_TRUE(room.database().has_table("t"));
    store.turn();
  }
  ASSERT_EQ(recover(folder.path()), "");
  RunningStore store(folder.path(), options);
  RoomStore room(*store, lobby, 0);
  ASSERT_NE(room.existing(), nullptr);
  EXPECT_EQ(store->open_databases(), 1U);
  EXPECT_TRUE(room.database().has_table("t"));
  EXPECT_FALSE(room.database().has_table("u"));
}

TEST_P(StoreTest, AWriteThatChangesNothingIsNoCommit) {
  RunningStore store(folder.path(), options);
  RoomStore room(*store, lobby, 0);
  run(room, "CREATE TABLE t (a)");
  store.turn();
  run(room, "UPDATE t SET a = 1 WHERE a = 2");
  EXPECT_TRUE(room.has_written());
  EXPECT_EQ(store.turn(), std::vector{Committed::nothing});
}

TEST_P(StoreTest, SegmentsGoToTheFilesWhenTheyAreFull) {
  RunningStore store(folder.path(), options);
  RoomStore room(*store, lobby, 0);
  run(room, "CREATE TABLE t (a)");
  store.turn();
  constexpr int rows = 40;
  for (int i = 0; i < rows; ++i) {
    run(room, "INSERT INTO t VALUES (zeroblob(1000000))");
    EXPECT_EQ(store.turn(), std::vector{Committed::logged});
  }
  for (int i = 0; i < 200 && store->overlay_bytes() > StoreOptions().segment_bytes; ++i) {
    ::usleep(50'000);
    store->read_answers();
  }
  EXPECT_LE(store->overlay_bytes(), StoreOptions().segment_bytes);
  EXPECT_EQ(count(room), rows);
  check_integrity(room);
  EXPECT_EQ(run(room, "SELECT sum(length(a)) FROM t").front()[0].integer(), rows * 1'000'000);
}

TEST_P(StoreTest, ACommitLargerThanASegmentGetsOneOfItsSize) {
  RunningStore store(folder.path(), options);
  {
    RoomStore room(*store, lobby, 0);
    run(room, "CREATE TABLE t (a)");
    for (int i = 0; i < 20; ++i) run(room, "INSERT INTO t VALUES (zeroblob(1000000))");
    EXPECT_EQ(store.turn(), std::vector{Committed::logged});
    EXPECT_EQ(count(room), 20);
  }
  store.stop();
  RunningStore again(folder.path(), options);
  RoomStore same(*again, lobby, 0);
  EXPECT_EQ(count(same), 20);
}

TEST_P(StoreTest, ADestroyedDatabaseIsGoneAfterACrashToo) {
  const std::string path = database_path(folder.path(), database_name("Lab", "lobby"));
  {
    RunningStore store(folder.path(), options);
    RoomStore room(*store, lobby, 0);
    run(room, "CREATE TABLE t (a)");
    store.turn();
  }
  ASSERT_EQ(recover(folder.path()), "");
  EXPECT_TRUE(std::filesystem::exists(path));
  {
    RunningStore store(folder.path(), options);
    RoomStore room(*store, lobby, 0);
    run(room, "INSERT INTO t VALUES (1)");
    room.destroy();
    run(room, "INSERT INTO t VALUES (2)");
    EXPECT_EQ(store.turn(), std::vector{Committed::logged});
    // The file goes with a checkpoint, and that wasn't reached.
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  ASSERT_EQ(recover(folder.path()), "");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_P(StoreTest, WhatComesAfterTheEndIsANewDatabase) {
  RunningStore store(folder.path(), options);
  const auto live = [&](std::int64_t value) {
    RoomStore room(*store, lobby, 0);
    EXPECT_TRUE(run(room, "SELECT * FROM sqlite_master WHERE name = 't'").empty());
    run(room, "CREATE TABLE t (a, filler); INSERT INTO t VALUES (?, zeroblob(50000))", {value});
    EXPECT_EQ(store.turn(), std::vector{Committed::logged});
    EXPECT_EQ(run(room, "SELECT a FROM t").front()[0].integer(), value);
    check_integrity(room);
  };
  const auto end = [&] {
    RoomStore room(*store, lobby, 0);
    room.destroy();
    EXPECT_EQ(store.turn(), std::vector{Committed::logged});
  };
  live(1);
  end();
  live(2);
  // The file of the second life is made by the helper, and read from then on.
  {
    RoomStore other(*store, {"Lab", "other"}, 1);
    run(other, "CREATE TABLE t (a)");
    for (int i = 0; i < 40; ++i) {
      run(other, "INSERT INTO t VALUES (zeroblob(500000))");
      store.turn();
    }
  }
  for (int i = 0; i < 200 && store->overlay_bytes() > options.segment_bytes; ++i) {
    ::usleep(50'000);
    store->read_answers();
  }
  {
    RoomStore room(*store, lobby, 0);
    EXPECT_EQ(run(room, "SELECT a FROM t").front()[0].integer(), 2);
    check_integrity(room);
  }
  end();
  live(3);
  store.stop();
  RunningStore again(folder.path(), options);
  RoomStore room(*again, lobby, 0);
  EXPECT_EQ(run(room, "SELECT a FROM t").front()[0].integer(), 3);
}

TEST_P(StoreTest, OfWhatWasNeverWrittenNothingIsDestroyed) {
  RunningStore store(folder.path(), options);
  RoomStore room(*store, lobby, 0);
  room.destroy();
  EXPECT_EQ(store.turn(), std::vector{Committed::nothing});
}

TEST(StoreInMemory, ADestroyedDatabaseIsGone) {
  RunningStore store;
  {
    RoomStore room(*store, lobby, 0);
    run(room, "CREATE TABLE t (a)");
    EXPECT_EQ(store.turn(), std::vector{Committed::kept});
    room.destroy();
    EXPECT_EQ(store.turn(), std::vector{Committed::kept});
  }
  EXPECT_EQ(store->overlay_bytes(), 0U);
  RoomStore room(*store, lobby, 0);
  EXPECT_TRUE(run(room, "SELECT * FROM sqlite_master").empty());
}

TEST_P(StoreTest, OnlyFewAreOpen) {
  options.open_max = 3;
  RunningStore store(folder.path(), options);
  std::vector<std::unique_ptr<RoomStore>> rooms;
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) names.push_back("room" + std::to_string(i));
  for (const std::string& name : names) {
    rooms.push_back(std::make_unique<RoomStore>(*store, Identity{"Lab", name}, 0));
    run(*rooms.back(), "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    store.turn();
  }
  EXPECT_EQ(store->open_databases(), 3U);
  for (const auto& room : rooms) EXPECT_EQ(count(*room), 1);
  EXPECT_EQ(store->open_databases(), 3U);
}

TEST_P(StoreTest, ALaterVersionIsRefusedWithAdvice) {
  {
    RunningStore store(folder.path(), options);
    RoomStore(*store, lobby, 0).database().run_own("PRAGMA user_version = 99");
    store.write_all();
    store.stop();
  }
  RunningStore store(folder.path(), options);
  RoomStore room(*store, lobby, 0);
  EXPECT_NE(cause_of_failure(room, "SELECT 1").find("use the Ringroom that wrote it"),
            std::string::npos);
}

std::int64_t version_of(RoomStore& room) {
  return room.database().run_own("PRAGMA user_version").front()[0].integer();
}

TEST_P(StoreTest, AnOlderVersionIsBroughtUpByTheFirstWrite) {
  {
    RunningStore store(folder.path(), options);
    RoomStore room(*store, lobby, 0);
    run(room, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    store.turn();
    EXPECT_EQ(version_of(room), 1);
    room.database().run_own("DROP TABLE _cf_room; PRAGMA user_version = 0");
    store.turn();
  }
  ASSERT_EQ(recover(folder.path()), "");
  RunningStore store(folder.path(), options);
  {
    RoomStore room(*store, lobby, 0);
    EXPECT_EQ(count(room), 1);
    EXPECT_EQ(version_of(room), 0);
    run(room, "INSERT INTO t VALUES (2)");
    EXPECT_EQ(store.turn(), std::vector{Committed::logged});
  }
  RoomStore room(*store, lobby, 0);
  EXPECT_EQ(version_of(room), 1);
  EXPECT_EQ(count(room), 2);
  EXPECT_EQ(room.database().run_own("SELECT value FROM _cf_room").size(), 2U);
}

TEST_P(StoreTest, ANewOneHasItsVersionAlsoBehindWhatWasUndone) {
  RunningStore store(folder.path(), options);
  RoomStore room(*store, lobby, 0);
  room.database().begin_nested();
  run(room, "CREATE TABLE gone (a)");
  room.database().undo_nested();
  run(room, "CREATE TABLE t (a)");
  EXPECT_EQ(store.turn(), std::vector{Committed::logged});
  EXPECT_EQ(version_of(room), 1);
  EXPECT_EQ(room.database().run_own("SELECT value FROM _cf_room").size(), 2U);
  EXPECT_NE(cause_of_failure(room, "SELECT * FROM gone"), "");
}

TEST_P(StoreTest, ADamagedFileFailsAlone) {
  const std::string path = database_path(folder.path(), database_name("Lab", "lobby"));
  ASSERT_EQ(make_folders(path.substr(0, path.rfind('/'))), 0);
  std::ofstream(path) << std::string(8192, 'x');
  RunningStore store(folder.path(), options);
  RoomStore room(*store, lobby, 0);
  EXPECT_EQ(cause_of_failure(room, "SELECT 1"), "file is not a database: SQLITE_NOTADB");
  RoomStore other(*store, {"Lab", "other"}, 1);
  EXPECT_EQ(cause_of_failure(other, "CREATE TABLE t (a)"), "");
}

// ---- The disk says no

TEST(StoreFailure, AFailedWriteSetsBackToWhatIsDurable) {
  TemporaryFolder folder;
  RunningStore store(folder.path());
  auto room = std::make_unique<RoomStore>(*store, lobby, 0);
  auto quiet = std::make_unique<RoomStore>(*store, Identity{"Lab", "quiet"}, 1);
  run(*room, "CREATE TABLE t (a)");
  run(*quiet, "CREATE TABLE t (a)");
  store.turn();
  const std::uint64_t durable = store->durable();
  run(*room, "INSERT INTO t VALUES (1)");
  store.fail_next = EIO;
  store.turn();
  EXPECT_EQ(store->durable(), durable);
  EXPECT_EQ(store->take_failed(), durable + 1);
  EXPECT_EQ(store->take_failed(), std::nullopt);
  // Who wrote is read again from the disk; who didn't goes on reading, and nobody writes meanwhile.
  EXPECT_NE(cause_of_failure(*room, "SELECT * FROM t"), "");
  EXPECT_EQ(count(*quiet), 0);
  EXPECT_NE(cause_of_failure(*quiet, "INSERT INTO t VALUES (1)"), "");
  room = std::make_unique<RoomStore>(*store, lobby, 0);
  for (int i = 0; i < 200 && !cause_of_failure(*room, "SELECT 1").empty(); ++i) {
    ::usleep(10'000);
    store->read_answers();
    room = std::make_unique<RoomStore>(*store, lobby, 0);
  }
  EXPECT_EQ(count(*room), 0);
  run(*room, "INSERT INTO t VALUES (2)");
  EXPECT_EQ(store.turn().back(), Committed::logged);
  room.reset();
  quiet.reset();
  // What failed isn't found by a later start either.
  ASSERT_EQ(recover(folder.path()), "");
  RunningStore again(folder.path());
  RoomStore same(*again, lobby, 0);
  EXPECT_EQ(run(same, "SELECT group_concat(a) FROM t").front()[0].text(), "2");
}

// ---- kill -9

// Writes turn after turn, and says the number of each that is promised.
[[noreturn]] void write_until_killed(const std::string& folder, Durability durability, int pipe) {
  RunningStore store(folder, with(durability));
  std::vector<std::unique_ptr<RoomStore>> rooms;
  const std::string names[] = {"a", "b", "c"};
  for (const std::string& name : names) {
    rooms.push_back(std::make_unique<RoomStore>(*store, Identity{"Lab", name}, 0));
    run(*rooms.back(), "CREATE TABLE IF NOT EXISTS t (a INTEGER, filler BLOB)");
  }
  for (std::int64_t i = 0;; ++i) {
    for (const auto& room : rooms) {
      run(*room, "INSERT INTO t VALUES (?, zeroblob(20000))", {i});
      run(*room, "DELETE FROM t WHERE a < ? - 20", {i});
    }
    store.turn();
    if (::write(pipe, &i, sizeof(i)) != sizeof(i)) ::_exit(1);
  }
}

TEST_P(StoreTest, WhatWasPromisedSurvivesKill9) {
  for (int round = 0; round < 10; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(folder.path(), GetParam(), ends[1]);
    ::close(ends[1]);
    std::int64_t promised = -1;
    for (int i = 0; i < 5 + round * 7; ++i) {
      ASSERT_EQ(::read(ends[0], &promised, sizeof(promised)), ssize_t{sizeof(promised)});
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(ends[0], &promised, sizeof(promised)) == sizeof(promised)) {
    }
    ::close(ends[0]);
    ASSERT_EQ(recover(folder.path()), "");
    RunningStore store(folder.path(), options);
    for (const char* name : {"a", "b", "c"}) {
      RoomStore room(*store, {"Lab", name}, 0);
      check_integrity(room);
      // The newest rows are in order and none is missing: the last one is the promised one, or the
      // one after it.
      const SqlRows rows = run(room, "SELECT max(a), count(*) FROM t WHERE a >= ?", {promised});
      EXPECT_GE(rows.front()[0].integer(), promised);
      EXPECT_LE(rows.front()[0].integer(), promised + 1);
    }
    std::filesystem::remove_all(folder.path() + "/rooms");
    store.stop();
  }
}

}  // namespace
}  // namespace ringroom::store
