#include "server/watchdog.h"

#include "shard/lane.h"

#include <gtest/gtest.h>

namespace ringroom::server {
namespace {

using namespace std::chrono_literals;

// A fleet of one shard that doesn't run: the test says what it is in.
class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() { config_.slow_callback = 100ms; }

  void enter(const char* room) { watch().enter(room, "ChatRoom", room); }
  void leave() { watch().leave(); }
  // What is logged by a look so long after the beginning.
  std::string look_at(std::chrono::milliseconds time) {
    testing::internal::CaptureStderr();
    watchdog_.look(Watchdog::Clock::time_point(time));
    return testing::internal::GetCapturedStderr();
  }
  std::uint64_t slow_total() { return fleet_.lane(0).stats.callbacks_slow_total.value(); }

 private:
  agent_runtime::Watch& watch() { return fleet_.lane(0).watch; }

  shard::Config config_;
  shard::Fleet fleet_{config_, {-1}, -1};
  Watchdog watchdog_{fleet_};
};

TEST_F(WatchdogTest, NamesACallbackThatHoldsItsShardOnce) {
  enter("lobby");
  EXPECT_EQ(look_at(1000ms), "");
  EXPECT_EQ(look_at(1050ms), "");
  EXPECT_NE(look_at(1100ms).find("ChatRoom/lobby holds shard 0 for more than 100ms"),
            std::string::npos);
  EXPECT_EQ(look_at(1150ms), "");
  EXPECT_EQ(slow_total(), 1U);
}

TEST_F(WatchdogTest, SaysWhenItIsBack) {
  enter("lobby");
  look_at(1000ms);
  look_at(1100ms);
  leave();
  EXPECT_NE(look_at(1500ms).find("ChatRoom/lobby is back after about 500ms"), std::string::npos);
  EXPECT_EQ(look_at(1550ms), "");
}

TEST_F(WatchdogTest, ToleratesManyShortCallbacks) {
  for (int i = 0; i < 10; ++i) {
    enter("lobby");
    EXPECT_EQ(look_at(i * 60ms), "");
    leave();
  }
  EXPECT_EQ(slow_total(), 0U);
}

TEST_F(WatchdogTest, ToleratesAQuietShard) {
  EXPECT_EQ(look_at(0ms), "");
  EXPECT_EQ(look_at(10s), "");
}

}  // namespace
}  // namespace ringroom::server
