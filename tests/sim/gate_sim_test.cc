// What becomes of a room behind its gate when its writes are lost, or its agent can't be made: it
// is left as if nothing had been, and neither stays awake nor stays closed.
#include "../temporary_folder.h"
#include "base/log.h"
#include "ringroom/agent_class.h"
#include "sim_fleet.h"
#include "sim_websocket.h"

#include <optional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include <unistd.h>

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

class GateSimulation : public testing::Test {
 protected:
  static void SetUpTestSuite() { base::set_log_level(base::LogLevel::error); }

  explicit GateSimulation(const FaultProfile& faults = {})
      : world_(1, faults), config_(make_config()), fleet_(world_, config_, 1) {
    start_fails = false;
  }
  ~GateSimulation() override {
    fleet_.stop();
    for (int i = 0; i < 1000 && !fleet_.is_stopped(); ++i) fleet_.run(1'000'000'000);
  }

  shard::Config make_config() {
    shard::Config config;
    config.classes = {detail::describe_class<Debtor>("Debtor"),
                      detail::describe_class<Stumbler>("Stumbler")};
    config.hibernate_after = std::chrono::milliseconds(20);
    config.handshake_timeout = config.close_timeout = config.keep_alive_timeout =
        std::chrono::hours(1);
    config.message_bytes_max = config.outbox_bytes_max = config.body_bytes_max = 1 << 20;
    config.room_connections_max = 10;
    config.files_max = 128;
    config.data = folder_.path();
    return config;
  }

  /// Runs the shard until that is true, or for long.
  template <typename Wanted>
  bool until(Wanted wanted) {
    for (int i = 0; i < 3000 && !wanted(); ++i) {
      EXPECT_TRUE(fleet_.run(1'000'000));
      ::usleep(300);  // for the helper, whose time is the machine's
    }
    return wanted();
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

}  // namespace
}  // namespace ringroom::sim
