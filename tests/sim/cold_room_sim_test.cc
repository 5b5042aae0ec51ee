// Rooms whose files the kernel has forgotten: whatever wakes one waits until its file is open, and
// nothing of it is lost or comes in another order.
#include "../temporary_folder.h"
#include "base/log.h"
#include "ringroom/agent_class.h"
#include "sim_fleet.h"
#include "sim_websocket.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::sim {
namespace {

constexpr std::uint64_t millisecond_ns = 1'000'000;

// Writes down what happens, and tells it on request.
class Diary final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};
  static void describe(AgentClass<Diary>& about) { about.callable("read", &Diary::read); }

  void on_connect(Connection&, const ConnectionContext&) override { write("connect"); }
  void on_message(Connection& from, Message message) override {
    write(std::string(message.text()));
    from.send(message.text());
  }
  void on_close(Connection&, CloseCode code, std::string_view, bool) override {
    write("close " + std::to_string(number(code)));
  }
  void on_alarm() override { write("alarm"); }
  Deferred<Response> on_request(const Request& request) override {
    if (request.query("alarm")) set_alarm(now_ms() + 200);
    return Response::text(200, read());
  }
  std::string read() {
    std::string all;
    write("");
    for (const SqlRows::Row row : sql("SELECT line FROM diary WHERE line != '' ORDER BY n")) {
      all += row[0].text();
      all += ';';
    }
    return all;
  }

 private:
  void write(const std::string& line) {
    sql("CREATE TABLE IF NOT EXISTS diary (n INTEGER PRIMARY KEY, line TEXT)");
    if (!line.empty()) sql("INSERT INTO diary (line) VALUES (?)", line);
  }
};

// Asks the diary.
class Reader final : public Agent {
 public:
  using Agent::Agent;
  Deferred<Response> on_request(const Request&) override {
    Deferred<Response> answer;
    agent("Diary", "one")
        .call("read")
        .then([answer](const json& text) { answer.resolve(Response::text(200, text)); },
              [answer](const std::string& why) { answer.resolve(Response::text(500, why)); });
    return answer;
  }
};

class ColdRoomSimulation : public testing::TestWithParam<std::uint64_t> {
 protected:
  static void SetUpTestSuite() { base::set_log_level(base::LogLevel::error); }

  ColdRoomSimulation()
      : world_(GetParam(), {.completion_late = 0.5}),
        config_(with_files(make_config())),
        fleet_(world_, config_, 1) {}
  ~ColdRoomSimulation() override {
    fleet_.stop();
    for (int i = 0; i < 1000 && !fleet_.is_stopped(); ++i) fleet_.run(1000 * millisecond_ns);
  }

  shard::Config make_config() {
    shard::Config config;
    config.classes = {detail::describe_class<Diary>("Diary"),
                      detail::describe_class<Reader>("Reader")};
    config.hibernate_after = std::chrono::milliseconds(20);
    config.handshake_timeout = config.close_timeout = config.keep_alive_timeout =
        std::chrono::hours(1);
    config.message_bytes_max = config.outbox_bytes_max = config.body_bytes_max = 1 << 20;
    config.room_connections_max = 10;
    config.files_max = 128;
    config.data = folder_.path();
    return config;
  }

  /// The diary has a file, from an earlier run of the server.
  static shard::Config with_files(shard::Config config) {
    SimWorld world(1, {});
    SimFleet fleet(world, config, 1);
    const Deferred<Response> answer = fleet.shard(0)
                                          .runtime()
                                          .find_or_make(config.classes[0], "one")
                                          .request(Request("GET", "http://sim/"));
    const auto run = [&fleet](const std::function<bool()>& wanted) {
      for (int i = 0; i < 3000 && !wanted(); ++i) {
        EXPECT_TRUE(fleet.run(millisecond_ns));
        fleet.help();
      }
    };
    run([&] { return answer.is_answered(); });
    fleet.stop();
    run([&] { return fleet.is_stopped(); });
    EXPECT_TRUE(answer.is_answered());
    return config;
  }

  /// Runs the shard until that is true, or for long.
  bool until(const std::function<bool()>& wanted) {
    for (int i = 0; i < 3000 && !wanted(); ++i) {
      EXPECT_TRUE(fleet_.run(millisecond_ns));
      for (const auto& client : clients_) client->step();
      fleet_.help();
    }
    return wanted();
  }
  SimWebSocket& connect() {
    clients_.push_back(std::make_unique<SimWebSocket>(world_.connect(fleet_.any_listener()),
                                                      "/agents/diary/one", clients_.size() + 1));
    SimWebSocket& client = *clients_.back();
    EXPECT_TRUE(until([&] { return client.is_open(); }));
    return client;
  }
  void sleep() {
    ASSERT_TRUE(until([&] { return fleet_.agents_awake() == 0; }));
  }
  std::string ask(std::size_t which, const std::string& target = "/") {
    agent_runtime::Runtime& runtime = fleet_.shard(0).runtime();
    const Deferred<Response> answer = runtime.find_or_make(config_.classes[which], "one")
                                          .request(Request("GET", "http://sim" + target));
    EXPECT_TRUE(until([&] { return answer.is_answered(); }));
    std::string text = "no answer";
    answer.then([&](const Response& response) { text = response.body(); },
                [&](const std::string& why) { text = "failed: " + why; });
    return text;
  }

  TemporaryFolder folder_;
  SimWorld world_;
  shard::Config config_;
  SimFleet fleet_;
  std::vector<std::unique_ptr<SimWebSocket>> clients_;
};

TEST_P(ColdRoomSimulation, MessagesWaitInTheirOrder) {
  SimWebSocket& first = connect();
  SimWebSocket& second = connect();
  sleep();
  first.send("a");
  first.send("b");
  ASSERT_TRUE(until([&] { return first.messages().size() == 2; }));
  EXPECT_EQ(first.messages(), (std::vector<std::string>{"a", "b"}));
  sleep();
  second.send("c", true, 3);
  second.send_close(1000);
  ASSERT_TRUE(until([&] { return second.close_code().has_value(); }));
  EXPECT_EQ(second.messages(), std::vector<std::string>{"c"});
  sleep();
  EXPECT_EQ(ask(0), "connect;connect;a;b;c;close 1000;");
}

TEST_P(ColdRoomSimulation, WhoVanishesHasBeenHeardOut) {
  SimWebSocket& client = connect();
  sleep();
  client.send("last words");
  client.step();
  client.vanish();
  ASSERT_TRUE(until([&] { return fleet_.connections_open() == 0; }));
  sleep();
  EXPECT_EQ(ask(0), "connect;last words;close 1006;");
}

TEST_P(ColdRoomSimulation, AlarmsAndQuestionsWait) {
  EXPECT_EQ(ask(0, "/?alarm=1"), "");
  sleep();
  EXPECT_EQ(ask(1), "");
  sleep();
  ASSERT_TRUE(until([&] { return ask(1) == "alarm;"; }));
}

TEST_P(ColdRoomSimulation, AServerThatStopsWaitsForNoRoom) {
  SimWebSocket& client = connect();
  sleep();
  client.send("too late");
  client.step();
  fleet_.stop();
  EXPECT_TRUE(until([&] { return fleet_.is_stopped(); }));
}

INSTANTIATE_TEST_SUITE_P(Seeds, ColdRoomSimulation, testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace ringroom::sim
