// The output gate in simulation: whole shards with a data folder, whose writes are late, come in
// any order, and fail. Whatever a client has heard, by a frame of the room that wrote, its answer
// to a call or a request, or from another one that asked it, stands on the disk at that moment: a
// server killed then would find it.
#include "../temporary_folder.h"
#include "base/log.h"
#include "ringroom/agent_class.h"
#include "sim_fleet.h"
#include "sim_websocket.h"
#include "store/archive.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

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
  Deferred<Response> on_request(const Request& request) override {
    return Response::text(200, std::to_string(add(std::stoi(std::string(request.body())))));
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

// How somebody has a number written, and hears of it.
enum class Way : std::uint8_t { frame, clerk, call, request };
constexpr std::size_t ways = 4;

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
    for (int round = 0; round < 300 && wrong_.empty() && !was_heard_in_all_ways(); ++round) {
      for (std::size_t i = 0; i < clients_.size(); ++i) step(i, true);
      world_run(1'000'000);
    }
    check_disk();
    for (Client& client : clients_) leave(client);
    fleet_->stop();
    for (int i = 0; i < 10'000 && !fleet_->is_stopped(); ++i) world_run(1'000'000'000);
    if (wrong_.empty() && !fleet_->is_stopped()) wrong_ = "the shards don't stop";
    check_disk();
    if (wrong_.empty() && !was_heard_in_all_ways()) wrong_ = "somebody never heard anything";
    return wrong_;
  }

  std::size_t refused() const { return refused_; }
  /// The same seed gives the same number.
  std::uint64_t completions_total() const { return world_.completions_total(); }

 private:
  struct Client {
    Way way{};
    std::string room;
    std::unique_ptr<SimWebSocket> socket;
    std::size_t read = 0;              // of its messages
    std::optional<SimClient> visitor;  // with a request that isn't answered
    std::string answer;
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
    config.files_max = 64 + 200;
    config.data = folder_.path();
    return config;
  }

  void connect(std::size_t i) {
    Client& client = clients_[i];
    client.way = static_cast<Way>(i % ways);
    client.room = rooms[i % std::size(rooms)];
    client.read = 0;
    if (client.way == Way::request) return;
    const std::string path =
        std::string(client.way == Way::clerk ? "/agents/clerk/" : "/agents/ledger/") + client.room;
    client.socket = std::make_unique<SimWebSocket>(world_.connect(fleet_->any_listener()), path,
                                                   random_.next());
  }

  void step(std::size_t i, bool says_something) {
    Client& client = clients_[i];
    return client.way == Way::request ? visit(client, says_something) : talk(i, says_something);
  }

  // Who was cut off comes again.
  void talk(std::size_t i, bool says_something) {
    Client& client = clients_[i];
    client.socket->step();
    const std::vector<std::string>& messages = client.socket->messages();
    for (; client.read < messages.size(); ++client.read) hear(client, messages[client.read]);
    if (client.socket->is_over() || client.socket->close_code()) {
      client.socket->reset();
      return connect(i);
    }
    if (!says_something || !client.socket->is_open()) return;
    const std::string number = std::to_string(next_++);
    client.socket->send(client.way != Way::call
                            ? number
                            : R"({"type":"rpc","id":")" + number + R"(","method":"add","args":[)" +
                                  number + "]}");
  }

  // A connection for each request.
  void visit(Client& client, bool says_something) {
    if (!client.visitor && says_something) {
      const std::string number = std::to_string(next_++);
      client.visitor = world_.connect(fleet_->any_listener());
      client.visitor->write("POST /agents/ledger/" + client.room +
                            " HTTP/1.1\r\nHost: sim.example\r\nConnection: close\r\n"
                            "Content-Length: " +
                            std::to_string(number.size()) + "\r\n\r\n" + number);
    }
    if (!client.visitor) return;
    client.answer += client.visitor->read_text();
    if (!client.visitor->is_closed()) return;
    const std::string answer = std::exchange(client.answer, {});
    hear(client, answer.starts_with("HTTP/1.1 200 ") ? answer.substr(answer.find("\r\n\r\n") + 4)
                                                     : "failed");
    leave(client);
  }

  void leave(Client& client) {
    if (client.socket != nullptr) client.socket->reset();
    if (client.visitor) client.visitor->close();
    client.visitor.reset();
  }

  void hear(const Client& client, const std::string& message) {
    constexpr std::string_view result = R"("result":)";
    const std::size_t found = message.find(result);
    const std::string number =
        found == std::string::npos ? message : message.substr(found + result.size());
    if (number.empty() || std::isdigit(static_cast<unsigned char>(number.front())) == 0) {
      ++refused_;
      return;
    }
    told_[client.room].emplace(std::stoi(number), client.way);
    ++heard_[static_cast<std::size_t>(client.way)];
  }

  bool was_heard_in_all_ways() const {
    return std::find(heard_.begin(), heard_.end(), 0U) == heard_.end();
  }

  void world_run(std::uint64_t nanoseconds) {
    if (!fleet_->run(nanoseconds)) wrong_ = "the shards never come to rest";
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
      for (const auto& [number, way] : numbers) {
        if (!found.contains(number)) {
          wrong_ = room + " has told " + std::to_string(number) + " in way " +
                   std::to_string(static_cast<int>(way)) + ", which isn't on the disk";
        }
      }
    }
  }

  TemporaryFolder folder_;
  base::Random random_;
  SimWorld world_;
  shard::Config config_;
  std::unique_ptr<SimFleet> fleet_;
  std::vector<Client> clients_ = std::vector<Client>(std::size(rooms) * ways);
  std::map<std::string, std::map<int, Way>> told_;
  int next_ = 1;
  std::array<std::size_t, ways> heard_{};
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

TEST_F(StorageSimulation, TheSameSeedIsTheSameStory) {
  for (std::uint64_t seed = 2; seed <= 6; ++seed) {
    std::uint64_t completions[2];
    for (std::uint64_t& total : completions) {
      StorageStory story(seed, storage_faults(seed));
      ASSERT_EQ(story.run(), "");
      total = story.completions_total();
    }
    EXPECT_EQ(completions[0], completions[1]) << "seed " << seed;
  }
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
