// The output gate in simulation: whole shards with a data folder, whose writes are late, come in
// any order, and fail. Whatever a client has heard, from the room that wrote or from another one
// that asked it, stands on the disk at that moment: a server killed then would find it. The helper
// is a thread of its own, so that a seed is a story that may end in several ways.
#include "../temporary_folder.h"
#include "base/log.h"
#include "ringroom/agent_class.h"
#include "sim_fleet.h"
#include "sim_websocket.h"
#include "store/archive.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <unistd.h>

namespace ringroom::sim {
namespace {

// Writes the numbers that it hears, and says them.
class Ledger final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};
  static void describe(AgentClass<Ledger>& about) { about.callable("add", &Ledger::add); }

  int add(int number) {
    sql("CREATE TABLE IF NOT EXISTS t (n)");
    sql("INSERT INTO t VALUES (?)", number);
    return number;
  }
  void on_message(Connection& from, Message message) override {
    from.send(std::to_string(add(std::stoi(std::string(message.text())))));
  }
};

// Has the ledger of its own name write them.
class Clerk final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  void on_message(Connection& from, Message message) override {
    const auto tell = [this, to = from.ref()](const std::string& text) {
      if (Connection* member = connection(to)) member->send(text);
    };
    agent("Ledger", name())
        .call("add", std::stoi(std::string(message.text())))
        .then([tell](const json& number) { tell(number.dump()); },
              [tell](const std::string&) { tell("failed"); });
  }
};

const std::string rooms[] = {"a", "b", "c"};

class StorageStory {
 public:
  StorageStory(std::uint64_t seed, const FaultProfile& faults)
      : random_(seed), world_(seed, faults), config_(make_config()) {
    fleet_ =
        std::make_unique<SimFleet>(world_, config_, static_cast<unsigned>(1 + random_.next() % 3));
    for (std::size_t i = 0; i < clients_.size(); ++i) connect(i);
  }

  /// Empty, or what went wrong.
  std::string run() {
    for (int round = 0; round < 120 && wrong_.empty(); ++round) {
      for (std::size_t i = 0; i < clients_.size(); ++i) step(i, random_.next() % 3 == 0);
      world_run(random_.next() % 400'000);
      if (round % 10 == 9) check_disk();
    }
    for (int round = 0; round < 300 && wrong_.empty() && heard_ == 0; ++round) {
      for (std::size_t i = 0; i < clients_.size(); ++i) step(i, true);
      world_run(1'000'000);
    }
    check_disk();
    for (Client& client : clients_) client.socket->reset();
    fleet_->stop();
    for (int i = 0; i < 10'000 && !fleet_->is_stopped(); ++i) world_run(1'000'000'000);
    if (wrong_.empty() && !fleet_->is_stopped()) wrong_ = "the shards don't stop";
    check_disk();
    if (wrong_.empty() && heard_ == 0) wrong_ = "nothing was ever written";
    return wrong_;
  }

  std::size_t refused() const { return refused_; }

 private:
  struct Client {
    std::unique_ptr<SimWebSocket> socket;
    std::string room;
    std::size_t read = 0;  // of its messages
  };

  shard::Config make_config() {
    shard::Config config;
    config.classes = {detail::describe_class<Ledger>("Ledger"),
                      detail::describe_class<Clerk>("Clerk")};
    if (random_.next() % 2 == 0) config.hibernate_after = std::chrono::milliseconds(20);
    config.handshake_timeout = config.close_timeout = config.keep_alive_timeout =
        std::chrono::hours(1);
    config.message_bytes_max = config.outbox_bytes_max = config.body_bytes_max = 1 << 20;
    config.room_connections_max = 1000;
    config.files_max = 64 + 100;
    config.data = folder_.path();
    return config;
  }

  void connect(std::size_t i) {
    Client& client = clients_[i];
    client.room = rooms[i % std::size(rooms)];
    client.read = 0;
    const std::string path =
        std::string(i % 2 == 0 ? "/agents/ledger/" : "/agents/clerk/") + client.room;
    client.socket = std::make_unique<SimWebSocket>(world_.connect(fleet_->any_listener()), path,
                                                   random_.next());
  }

  // Who was cut off comes again.
  void step(std::size_t i, bool says_something) {
    Client& client = clients_[i];
    client.socket->step();
    const std::vector<std::string>& messages = client.socket->messages();
    for (; client.read < messages.size(); ++client.read) {
      const std::string& message = messages[client.read];
      if (message == "failed") {
        ++refused_;
      } else {
        told_[client.room].insert(std::stoi(message));
        ++heard_;
      }
    }
    if (client.socket->is_over() || client.socket->close_code()) {
      client.socket->reset();
      return connect(i);
    }
    if (says_something && client.socket->is_open()) client.socket->send(std::to_string(next_++));
  }

  void world_run(std::uint64_t nanoseconds) {
    if (!fleet_->run(nanoseconds)) wrong_ = "the shards never come to rest";
    ::usleep(300);  // for the helper, whose time is the machine's
  }

  // What somebody was told and the disk doesn't have is what the gate is for.
  void check_disk() {
    if (!wrong_.empty()) return;
    store::Archive archive;
    wrong_ = archive.open_to_list(folder_.path());
    for (const auto& [room, numbers] : told_) {
      std::set<int> found;
      if (const auto rows = archive.read("Ledger", room, "SELECT n FROM t")) {
        for (const SqlRows::Row row : *rows) found.insert(static_cast<int>(row[0].integer()));
      }
      for (const int number : numbers) {
        if (!found.contains(number)) {
          wrong_ = room + " has told " + std::to_string(number) + ", which isn't on the disk";
        }
      }
    }
  }

  TemporaryFolder folder_;
  base::Random random_;
  SimWorld world_;
  shard::Config config_;
  std::unique_ptr<SimFleet> fleet_;
  std::vector<Client> clients_ = std::vector<Client>(6);
  std::map<std::string, std::set<int>> told_;
  int next_ = 1;
  std::size_t heard_ = 0;
  std::size_t refused_ = 0;
  std::string wrong_;
};

FaultProfile storage_faults(std::uint64_t seed) {
  FaultProfile faults;
  faults.completion_late = seed % 2 == 0 ? 0.5 : 0;
  faults.completions_reordered = seed % 3 == 0 ? 1 : 0;
  faults.send_short = seed % 4 == 0 ? 0.3 : 0;
  faults.write_failed = seed % 5 < 3 ? 0.02 * static_cast<double>(seed % 5) : 0;
  return faults;
}

class StorageSimulation : public testing::Test {
 protected:
  static void SetUpTestSuite() { base::set_log_level(base::LogLevel::error); }
};

TEST_F(StorageSimulation, WhatWasToldStandsOnTheDisk) {
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    StorageStory story(seed, storage_faults(seed));
    ASSERT_EQ(story.run(), "") << "seed " << seed;
    refused += story.refused();
  }
  // A write that failed is an error to the agent that asked for it.
  EXPECT_GT(refused, 0U);
}

// The canary.
TEST_F(StorageSimulation, NoticesADiskThatLies) {
  int noticed = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    FaultProfile faults;
    faults.write_lost = 0.2;
    noticed += StorageStory(seed, faults).run().empty() ? 0 : 1;
  }
  EXPECT_GE(noticed, 4);
}

}  // namespace
}  // namespace ringroom::sim
