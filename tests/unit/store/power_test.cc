// Power loss and failing disks, by seed: what was promised is there afterwards, and every database
// is whole. The canary, a server that doesn't wait for its syncs, must be caught.
#include "base/log.h"
#include "sim_disk.h"
#include "store/alarm_index.h"
#include "store/names.h"
#include "store/store.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <unistd.h>

namespace ringroom::store {
namespace {

constexpr const char* folder = "/data";
const std::string names[] = {"a", "b", "c"};

enum class Gate { waits, is_open };

unsigned seeds(unsigned usual) {
  const char* wanted = std::getenv("RINGROOM_SIM_SEEDS");
  return wanted == nullptr ? usual : static_cast<unsigned>(std::atoi(wanted));
}

/// A server on the current disk: rooms that write turn by turn, end and begin anew, and remember
/// what they promised. What happens in a room has numbers that are never used again: a row for
/// each write, with the one before it, and none of an end. Its state, of the newest number, is
/// written over the one before. With each write a room plans something, which the shard's index
/// must find then or before.
class World {
 public:
  World(std::uint64_t seed, Gate gate) : random_(seed), gate_(gate) {
    options_.segment_bytes = 64 * page_bytes;
    promised_.resize(std::size(names), 0);
    newest_.resize(std::size(names), 0);
    ended_.resize(std::size(names), 0);
    planned_.resize(std::size(names), 0);
    disk_ = std::make_unique<SimDisk>();
    disk_->make_current();
    start();
  }
  ~World() { stop(); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  SimDisk& disk() { return *disk_; }
  base::Random& random() { return random_; }

  // One turn: some rooms write, a few end, and the log is as far as it happens to be.
  void turn() {
    for (std::uint32_t i = 0; i < std::size(names); ++i) {
      if (random_.next() % 3 != 0) attempt(i, &World::write);
      if (random_.next() % 12 == 0) attempt(i, &World::end);
    }
    store_->read_answers();
    store_->commit_turn([this](RoomStore& room, Committed committed) {
      const std::uint32_t i = room.owner();
      if (i == RoomStore::no_owner) return;
      if (committed == Committed::logged) told_.push_back({i, newest_[i], store_->batch_number()});
      if (committed == Committed::lost) return open_again(i);
      if (room.is_destroyed()) open(i);
    });
    settle_some();
    if (random_.next() % 2 == 0) open_files();
    if (gate_ == Gate::is_open) promise(UINT64_MAX);
    if (!writing_) writing_ = store_->next_write();
    // Mostly the helper is quick enough with the next segment.
    for (int i = 0; i < 100 && !writing_ && !store_->is_idle() && random_.next() % 50 != 0; ++i) {
      ::usleep(100);
      store_->read_answers();
      writing_ = store_->next_write();
    }
    if (writing_ && random_.next() % 2 == 0) finish_write();
    if (store_->take_failed()) lose();
  }

  // As the ring does.
  void open_files() {
    while (const auto file = store_->next_open()) {
      const int opened = SimDisk::current().open(file->path, false);
      store_->opened(file->id, opened, [](const std::string&) {});
    }
  }

  // Ends with all that can be promised.
  void settle() {
    for (int i = 0; i < 1000 && !(store_->is_idle() && !writing_); ++i) {
      store_->read_answers();
      open_files();
      if (!writing_) writing_ = store_->next_write();
      if (writing_) {
        finish_write();
      } else {
        ::usleep(1000);
      }
      if (store_->take_failed()) lose();
    }
  }

  void lose_power() {
    auto after = disk_->lose_power(random_);
    stop();
    disk_ = std::move(after);
    disk_->make_current();
    ASSERT_EQ(recover(folder), "");
    start();
  }

  // Empty: it can be written.
  std::string why_not_writable(std::uint32_t i) {
    try {
      write(i);
    } catch (const SqlError& error) {
      open_again(i);
      return error.cause();
    }
    turn();
    return {};
  }

  // The disk is well again.
  void restart() {
    disk_->fail_after(0, 0, 0);
    stop();
    ASSERT_EQ(recover(folder), "");
    start();
  }

  // What is wrong with the databases; empty: nothing.
  std::string check() {
    for (std::uint32_t i = 0; i < std::size(names); ++i) {
      try {
        if (std::string wrong = check(i); !wrong.empty()) return names[i] + ": " + wrong;
      } catch (const SqlError& error) {
        return names[i] + ": " + error.what();
      }
    }
    return {};
  }

 private:
  struct Told {
    std::uint32_t room;
    std::int64_t n;
    std::uint64_t batch;
  };

  void start() {
    helper_ = std::make_unique<Helper>(folder, Access::direct);
    store_ = std::make_unique<Store>(helper_.get(), options_);
    rooms_.resize(std::size(names));
    for (std::uint32_t i = 0; i < std::size(names); ++i) open_again(i);
    alarms_ = std::make_unique<AlarmIndex>(*store_, alarms_name(0, 1));
  }

  void open(std::uint32_t i) {
    rooms_[i] = nullptr;
    rooms_[i] = std::make_unique<RoomStore>(*store_, Identity{"Lab", names[i]}, i);
  }

  void open_again(std::uint32_t i) {
    if (rooms_[i] != nullptr) rooms_[i]->abandon();
    open(i);
    planned_[i] = 0;
    std::erase_if(told_, [i](const Told& told) { return told.room == i; });
  }

  std::string check(std::uint32_t i) {
    Database& database = rooms_[i]->database();
    std::int64_t newest = 0;
    std::int64_t planned = INT64_MAX;
    if (!database.run("SELECT 1 FROM sqlite_master WHERE name = 't'", {}).empty()) {
      if (database.run("PRAGMA integrity_check", {}).front()[0].text() != "ok") return "damaged";
      const SqlRows rows = database.run(
          "SELECT coalesce(max(n), 0) AS newest, count(*) - sum(n = twin) AS halves, sum(before IS "
          "NOT (SELECT "
          "max(n) FROM t AS o WHERE o.n < t.n)) AS holes, (SELECT state FROM s) IS NOT "
          "replace(hex(zeroblob(900)), '0', max(n) || ' ') AS mixed, coalesce((SELECT planned FROM "
          "t "
          "ORDER BY n DESC LIMIT 1), 9999) AS planned FROM t",
          {});
      planned = rows.front()["planned"].integer();
      newest = rows.front()["newest"].integer();
      if (rows.front()["halves"] != 0) return "half a turn";
      if (newest != 0 && rows.front()["mixed"] != 0) return "a state of two turns";
      if (rows.front()["holes"] != 0) return "rows are missing, or of an earlier life";
    }
    if (newest > 0 && !is_found(i, planned)) return "what it has planned isn't in the index";
    // After an end that wasn't promised there is nothing.
    const bool has_ended = newest == 0 && ended_[i] >= promised_[i];
    if (newest >= promised_[i] || has_ended) return {};
    return "it has " + std::to_string(newest) + " and promised " + std::to_string(promised_[i]);
  }

  bool is_found(std::uint32_t i, std::int64_t planned) {
    const std::vector<Alarm> alarms = alarms_->after({}, 100);
    return std::any_of(alarms.begin(), alarms.end(), [&](const Alarm& alarm) {
      return alarm.room == names[i] && alarm.time_ms <= planned;
    });
  }

  // Behind the commits of the rooms. One whose last turn was lost is looked at, and finds nothing.
  void settle_some() {
    try {
      for (std::uint32_t i = 0; i < std::size(names); ++i) {
        if (planned_[i] > 0 && random_.next() % 4 == 0) {
          alarms_->settle({"Lab", names[i]}, planned_[i]);
        }
      }
    } catch (const SqlError&) {
      // A time that is too early stays.
    }
    store_->commit_turn([](RoomStore&, Committed) {});
  }

  void stop() {
    rooms_.clear();
    alarms_.reset();
    store_.reset();
    helper_.reset();
    told_.clear();
    writing_.reset();
  }

  // If the disk fails the room goes on when it can be read again.
  void attempt(std::uint32_t i, void (World::*what)(std::uint32_t)) {
    try {
      (this->*what)(i);
    } catch (const SqlError&) {
      open_again(i);
    }
  }

  void write(std::uint32_t i) {
    Database& database = rooms_[i]->database();
    const auto planned = static_cast<std::int64_t>(1 + random_.next() % 1000);
    alarms_->cover({"Lab", names[i]}, planned);
    database.run(
        "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, before, twin, planned, filler)", {});
    const std::int64_t n = ++newest_[i];
    const SqlValue values[] = {n, planned, static_cast<std::int64_t>(random_.next() % 9000)};
    database.run("INSERT INTO t SELECT ?, max(n), NULL, ?, zeroblob(?) FROM t", values);
    const SqlValue twin[] = {n};
    database.run("UPDATE t SET twin = n WHERE n = ?", twin);
    database.run("CREATE TABLE IF NOT EXISTS s (id INTEGER PRIMARY KEY, state)", {});
    database.run(
        "INSERT OR REPLACE INTO s SELECT 1, replace(hex(zeroblob(900)), '0', n || ' ') "
        "FROM t WHERE n = ?",
        twin);
    planned_[i] = planned;
  }

  void end(std::uint32_t i) {
    rooms_[i]->destroy();
    ended_[i] = ++newest_[i];
    planned_[i] = 0;
  }

  void finish_write() {
    int failure = disk_->write(writing_->descriptor, writing_->bytes, writing_->offset);
    if (failure == 0) failure = disk_->sync(writing_->descriptor);
    writing_.reset();
    store_->written(failure);
    if (gate_ == Gate::waits) promise(store_->durable());
  }

  void promise(std::uint64_t durable) {
    std::erase_if(told_, [&](const Told& told) {
      if (told.batch > durable) return false;
      promised_[told.room] = std::max(promised_[told.room], told.n);
      return true;
    });
  }

  void lose() {
    writing_.reset();
    for (std::uint32_t i = 0; i < std::size(names); ++i) open_again(i);
    alarms_->reopen();
  }

  base::Random random_;
  Gate gate_;
  StoreOptions options_;
  std::unique_ptr<SimDisk> disk_;
  std::unique_ptr<Helper> helper_;
  std::unique_ptr<Store> store_;
  std::vector<std::unique_ptr<RoomStore>> rooms_;
  std::unique_ptr<AlarmIndex> alarms_;
  std::vector<std::int64_t> newest_;    // of each room's events
  std::vector<std::int64_t> ended_;     // its newest end
  std::vector<std::int64_t> promised_;  // to its clients
  std::vector<std::int64_t> planned_;   // by the last write that was committed; 0: not known
  std::vector<Told> told_;              // behind the gate
  std::optional<LogWrite> writing_;
};

// Several lives of a server, each ended by a loss of power. What was wrong after one; empty:
// nothing.
std::string lives(std::uint64_t seed, Gate gate) {
  World world(seed, gate);
  for (int life = 0; life < 4; ++life) {
    if (world.random().next() % 4 == 0) world.disk().refuse("/a.db");
    const std::uint64_t turns = 5 + world.random().next() % 60;
    for (std::uint64_t i = 0; i < turns; ++i) {
      if (world.random().next() % 40 == 0) world.disk().refuse("");
      world.turn();
    }
    world.lose_power();
    if (const std::string wrong = world.check(); !wrong.empty()) return wrong;
  }
  return {};
}

TEST(PowerLoss, WhatWasPromisedIsThere) {
  for (unsigned seed = 0; seed < seeds(150); ++seed) {
    ASSERT_EQ(lives(seed, Gate::waits), "") << "seed " << seed;
  }
}

TEST(PowerLoss, AServerThatDoesNotWaitIsCaught) {
  unsigned caught = 0;
  for (unsigned seed = 0; seed < 10; ++seed) {
    if (!lives(seed, Gate::is_open).empty()) ++caught;
  }
  EXPECT_GE(caught, 5U);
}

// Every write and sync fails once, and for a while.
TEST(DiskFailure, NothingPromisedIsLostWhicheverOperationFails) {
  base::set_log_level(base::LogLevel::error);
  for (unsigned operation = 0; operation < 60; ++operation) {
    for (const int error : {EIO, ENOSPC, EACCES}) {
      World world(operation, Gate::waits);
      world.disk().fail_after(operation, error, operation % 3 + 1);
      for (int i = 0; i < 40; ++i) world.turn();
      world.settle();
      world.restart();
      ASSERT_EQ(world.check(), "") << "operation " << operation << " error " << error;
    }
  }
}

// Others go on, and the log doesn't grow.
TEST(DiskFailure, AFileThatCannotBeWrittenIsItsRoomsTroubleAlone) {
  base::set_log_level(base::LogLevel::error);
  World world(1, Gate::waits);
  world.disk().refuse("/a.db");
  for (int i = 0; i < 600; ++i) world.turn();
  world.settle();
  EXPECT_NE(world.why_not_writable(0).find("Permission denied"), std::string::npos);
  EXPECT_EQ(world.why_not_writable(1), "");
  EXPECT_EQ(world.check(), "");
  EXPECT_LE(world.disk().list("/data/log").size(), 5U);
  world.lose_power();
  EXPECT_EQ(world.check(), "");
}

TEST(DiskFailure, ARoomGoesOnWhenItsFileCanBeWrittenAgain) {
  base::set_log_level(base::LogLevel::error);
  World world(2, Gate::waits);
  world.disk().refuse("/a.db");
  for (int i = 0; i < 200; ++i) world.turn();
  world.disk().refuse("");
  for (int i = 0; i < 500 && !world.why_not_writable(0).empty(); ++i) {
    ::usleep(10'000);
    world.turn();
  }
  EXPECT_EQ(world.why_not_writable(0), "");
  world.settle();
  EXPECT_EQ(world.check(), "");
  world.restart();
  EXPECT_EQ(world.check(), "");
}

}  // namespace
}  // namespace ringroom::store
