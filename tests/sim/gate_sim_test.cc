// What becomes of a room behind its gate when its writes are lost, or its agent can't be made: it
// is left as if nothing had been, and neither stays awake nor stays closed. And of many whose gates
// open at once: they speak over several turns, in order and completely.
#include "../temporary_folder.h"
#include "base/log.h"
#include "ringroom/agent_class.h"
#include "sim_fleet.h"
#include "sim_websocket.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::sim {
namespace {

// Owes its caller what it asked another one for, which never answers.
class Debtor final : public Agent {
 public:
  using Agent::Agent;
  static void describe(AgentClass<Debtor>& about) {
    about.callable("owe", &Debtor::owe).callable("keep", &Debtor::keep);
  }
  Deferred<json> owe() {
    Deferred<json> answer = agent("Debtor", "other").call("keep");
    sql("CREATE TABLE t (n)");
    return answer;
  }
  Deferred<json> keep() { return kept_; }

 private:
  Deferred<json> kept_;
};

bool start_fails = false;

// Writes in on_start what is there already, and may throw then.
class Stumbler final : public Agent {
 public:
  using Agent::Agent;
  void on_start(const json&) override {
    sql("CREATE TABLE IF NOT EXISTS t (n)");
    if (start_fails) throw std::runtime_error("stumbled");
  }
  Deferred<Response> on_request(const Request&) override { return Response::text(200, "up"); }
};

// The newest number that rooms have said, by their names.
std::map<std::string, int> said;

// Writes what it hears, and says to all how much there is.
class Chronicle final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  void on_message(Connection&, Message message) override {
    if (message.text() == "end") return destroy();
    sql("CREATE TABLE IF NOT EXISTS t (n); INSERT INTO t VALUES (1)");
    const auto count = static_cast<int>(sql("SELECT count(*) FROM t").front()[0].integer());
    said[std::string(name())] = count;
    broadcast(std::to_string(count));
  }
};

class Parrot final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};
  void on_message(Connection& from, Message message) override { from.send(message.text()); }
};

class GateSimulation : public testing::Test {
 protected:
  static void SetUpTestSuite() { base::set_log_level(base::LogLevel::error); }

  explicit GateSimulation(const FaultProfile& faults = {}, std::uint64_t seed = 1)
      : world_(seed, faults), config_(make_config()), fleet_(world_, config_, 1) {
    start_fails = false;
  }
  ~GateSimulation() override {
    fleet_.stop();
    for (int i = 0; i < 1000 && !fleet_.is_stopped(); ++i) fleet_.run(1'000'000'000);
  }

  shard::Config make_config() {
    shard::Config config;
    config.classes = {
        detail::describe_class<Debtor>("Debtor"), detail::describe_class<Stumbler>("Stumbler"),
        detail::describe_class<Chronicle>("Chronicle"), detail::describe_class<Parrot>("Parrot")};
    config.hibernate_after = std::chrono::milliseconds(20);
    config.handshake_timeout = config.close_timeout = config.keep_alive_timeout =
        std::chrono::hours(1);
    config.message_bytes_max = config.outbox_bytes_max = config.body_bytes_max = 1 << 20;
    config.room_connections_max = 10;
    config.files_max = 64 + 300;
    config.data = folder_.path();
    return config;
  }

  /// Runs the shard until that is true, or for long.
  template <typename Wanted>
  bool until(Wanted wanted) {
    for (int i = 0; i < 3000 && !wanted(); ++i) {
      EXPECT_TRUE(fleet_.run(1'000'000));
    }
    return wanted();
  }
  /// One turn of the shard, with what its clients have for it, and what it has for them.
  void turn(std::uint64_t nanoseconds) {
    for (const auto& client : clients_) client->step();
    world_.limit_time(world_.now_ns() + nanoseconds);
    EXPECT_TRUE(fleet_.shard(0).turn());
    fleet_.help();
    for (const auto& client : clients_) client->step();
  }
  SimWebSocket& add_client(const std::string& path) {
    clients_.push_back(std::make_unique<SimWebSocket>(world_.connect(fleet_.any_listener()), path,
                                                      clients_.size()));
    return *clients_.back();
  }
  bool until_all_are_open() {
    return until([&] {
      for (const auto& client : clients_) client->step();
      return std::all_of(clients_.begin(), clients_.end(),
                         [](const auto& client) { return client->is_open(); });
    });
  }
  agent_runtime::Runtime& runtime() { return fleet_.shard(0).runtime(); }
  /// The status of an answer, when it is there.
  std::optional<int> status_of(const Deferred<Response>& answer) {
    std::optional<int> status;
    if (!until([&] { return answer.is_answered(); })) return status;
    answer.then([&](const Response& response) { status = response.status(); },
                [&](const std::string&) { status = 0; });
    return status;
  }

  TemporaryFolder folder_;
  SimWorld world_;
  shard::Config config_;
  SimFleet fleet_;
  std::vector<std::unique_ptr<SimWebSocket>> clients_;
};

class FailingGateSimulation : public GateSimulation {
 protected:
  FailingGateSimulation() : GateSimulation({.write_failed = 1}) {}
};

TEST_F(FailingGateSimulation, ARoomThatLostItsWritesOwesNothingAndSleeps) {
  SimWebSocket client(world_.connect(fleet_.any_listener()), "/agents/debtor/one", 1);
  const auto step = [&] { client.step(); };
  ASSERT_TRUE(until([&] { return step(), client.is_open(); }));
  client.send(R"({"type":"rpc","id":"1","method":"owe","args":[]})");
  ASSERT_TRUE(until([&] { return step(), client.close_code().has_value(); }));
  EXPECT_EQ(client.close_code(), 1011);
  client.reset();
  EXPECT_TRUE(until([&] { return runtime().find(config_.classes[0], "one") == nullptr; }));
}

TEST_F(GateSimulation, AnAgentThatCannotBeMadeLeavesNoGateClosed) {
  const auto ask = [&] {
    return status_of(
        runtime().find_or_make(config_.classes[1], "one").request(Request("GET", "http://sim/")));
  };
  EXPECT_EQ(ask(), 200);
  ASSERT_TRUE(until([&] { return fleet_.rooms() == 0; }));
  start_fails = true;
  EXPECT_EQ(ask(), 500);
  start_fails = false;
  EXPECT_EQ(ask(), 200);
}

TEST_F(GateSimulation, ManyThatOpenAtOnceKeepNobodyElseWaiting) {
  constexpr std::size_t rooms = 200;
  for (std::size_t i = 0; i < rooms; ++i) add_client("/agents/chronicle/" + std::to_string(i));
  SimWebSocket& parrot = add_client("/agents/parrot/one");
  ASSERT_TRUE(until_all_are_open());
  for (std::size_t i = 0; i < rooms; ++i) clients_[i]->send("write");
  const auto told = [&] {
    return static_cast<std::size_t>(
        std::count_if(clients_.begin(), clients_.begin() + rooms,
                      [](const auto& client) { return !client->messages().empty(); }));
  };
  std::size_t before = 0;
  std::size_t told_before_parrot = 0;
  for (int i = 0; i < 20'000 && told() < rooms; ++i) {
    turn(10'000);
    if (told() > 0 && before == 0) parrot.send("hello");
    EXPECT_LE(told() - before, connection::releases_of_turn(rooms));
    before = told();
    if (parrot.messages().empty()) told_before_parrot = before;
  }
  EXPECT_EQ(told(), rooms);
  EXPECT_LT(told_before_parrot, rooms);
}

class ManyGatesSimulation : public GateSimulation, public testing::WithParamInterface<int> {
 protected:
  ManyGatesSimulation() : GateSimulation(faults(), static_cast<std::uint64_t>(GetParam())) {
    said.clear();
  }
  static FaultProfile faults() {
    FaultProfile faults;
    faults.completion_late = GetParam() % 2 == 0 ? 0.5 : 0;
    faults.completions_reordered = GetParam() % 3 == 0 ? 1 : 0;
    faults.send_short = GetParam() % 4 == 0 ? 0.3 : 0;
    return faults;
  }
  static constexpr std::size_t rooms = 60;
  static std::string room_of(std::size_t client) { return std::to_string(client % rooms); }

  /// Somebody leaves in one of the ways there are, or a room ends.
  void let_one_go(std::set<std::size_t>& gone) {
    const std::size_t one = world_.below(clients_.size());
    if (!clients_[one]->is_open()) return;
    switch (world_.below(3)) {
      case 0: clients_[one]->send_close(1000); break;
      case 1: clients_[one]->reset(); break;
      default: clients_[one]->send("end"); return;
    }
    gone.insert(one);
  }
  /// From the first one on, without a gap; all of them, unless it has left.
  void check(std::size_t client, bool has_left) {
    int expected = 0;
    for (const std::string& message : clients_[client]->messages()) {
      ASSERT_EQ(message, std::to_string(++expected)) << "client " << client;
    }
    if (!has_left) {
      EXPECT_EQ(expected, said[room_of(client)]) << "client " << client;
    }
  }
};

TEST_P(ManyGatesSimulation, SpeakInOrderAndCompletely) {
  for (std::size_t i = 0; i < rooms * 4; ++i) add_client("/agents/chronicle/" + room_of(i));
  ASSERT_TRUE(until_all_are_open());
  std::set<std::size_t> gone;
  for (int round = 0; round < 600; ++round) {
    for (const auto& client : clients_) {
      if (client->is_open() && world_.below(20) == 0) client->send("write");
    }
    if (round > 100 && round % 20 == 0) let_one_go(gone);
    turn(world_.below(50'000));
  }
  // In the middle of it.
  fleet_.stop();
  EXPECT_TRUE(until([&] {
    for (const auto& client : clients_) client->step();
    return fleet_.is_stopped();
  }));
  EXPECT_GT(said.size(), rooms / 2);
  for (std::size_t i = 0; i < clients_.size(); ++i) check(i, gone.contains(i));
}

INSTANTIATE_TEST_SUITE_P(Seeds, ManyGatesSimulation, testing::Range(1, 9));

}  // namespace
}  // namespace ringroom::sim
