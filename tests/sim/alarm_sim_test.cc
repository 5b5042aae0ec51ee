// Alarms follow the wall clock, whatever becomes of it while the shard sleeps.
#include "ringroom/agent_class.h"
#include "sim_fleet.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace ringroom::sim {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::int64_t hour_ms = 3'600'000;

int alarms_fired = 0;

// A request sets the alarm, in so many milliseconds.
class SimSleeper final : public Agent {
 public:
  using Agent::Agent;
  Deferred<Response> on_request(const Request& request) override {
    set_alarm(now_ms() + std::stoll(*request.query("in")));
    return Response::text(200, "set");
  }
  void on_alarm() override { ++alarms_fired; }
};

class AlarmSimulation : public testing::Test {
 protected:
  AlarmSimulation() { alarms_fired = 0; }
  ~AlarmSimulation() override {
    fleet_.stop();
    fleet_.run(second_ns);
  }

  static shard::Config make_config() {
    shard::Config config;
    config.classes = {detail::describe_class<SimSleeper>("SimSleeper")};
    config.hibernate_after = std::chrono::milliseconds(20);
    config.room_connections_max = 10;
    config.files_max = 128;
    return config;
  }

  void set_alarm_in(std::int64_t ms) {
    agent_runtime::Runtime& runtime = fleet_.shard(0).runtime();
    runtime.find_or_make(config_.classes.front(), "sleeper")
        .request(Request("GET", "http://sim/?in=" + std::to_string(ms)));
  }
  /// How often on_alarm was called in so many seconds.
  int fired_within(std::uint64_t seconds) {
    const int before = alarms_fired;
    EXPECT_TRUE(fleet_.run(seconds * second_ns));
    return alarms_fired - before;
  }

  SimWorld world_{1, {}};
  shard::Config config_ = make_config();
  SimFleet fleet_{world_, config_, 1};
};

TEST_F(AlarmSimulation, FiresAtItsTimeAndOnce) {
  EXPECT_EQ(fired_within(1), 0);
  set_alarm_in(5'000);
  EXPECT_EQ(fired_within(4), 0);
  EXPECT_EQ(fleet_.agents_awake(), 0U);
  EXPECT_EQ(fired_within(2), 1);
  EXPECT_EQ(fired_within(100), 0);
}

TEST_F(AlarmSimulation, IsDueSoonWhenTheClockIsSetForward) {
  EXPECT_EQ(fired_within(1), 0);
  set_alarm_in(hour_ms);
  EXPECT_EQ(fired_within(60), 0);
  world_.set_wall_clock(hour_ms);
  EXPECT_EQ(fired_within(3), 1);
}

TEST_F(AlarmSimulation, WaitsWhenTheClockIsSetBack) {
  EXPECT_EQ(fired_within(1), 0);
  set_alarm_in(5'000);
  EXPECT_EQ(fired_within(1), 0);
  world_.set_wall_clock(-hour_ms);
  EXPECT_EQ(fired_within(3'590), 0);
  EXPECT_EQ(fired_within(30), 1);
}

}  // namespace
}  // namespace ringroom::sim
