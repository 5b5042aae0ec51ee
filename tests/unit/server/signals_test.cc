#include "server/crash.h"
#include "server/stop_signals.h"

#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

namespace ringroom::server {
namespace {

using namespace std::chrono_literals;

TEST(StopSignals, CountAndRing) {
  Bell bell;
  const StopSignals signals(bell);
  EXPECT_EQ(signals.count(), 0U);
  std::raise(SIGTERM);
  std::raise(SIGINT);
  std::raise(SIGPIPE);
  EXPECT_EQ(signals.count(), 2U);
  bell.wait(1h);  // hangs if nobody rang
}

TEST(StopSignals, LeaveTheSignalsAsTheyWere) {
  struct sigaction before {};
  before.sa_handler = SIG_IGN;
  struct sigaction original {};
  sigaction(SIGINT, &before, &original);
  {
    Bell bell;
    const StopSignals signals(bell);
  }
  struct sigaction after {};
  sigaction(SIGINT, &original, &after);
  EXPECT_EQ(after.sa_handler, SIG_IGN);
}

TEST(StopSignals, BelongToTheFirstOfTwo) {
  Bell bell;
  const StopSignals first(bell);
  {
    const StopSignals second(bell);
    std::raise(SIGTERM);
    EXPECT_EQ(second.count(), 0U);
  }
  std::raise(SIGTERM);
  EXPECT_EQ(first.count(), 2U);
}

TEST(StopSignals, AreHeldBackWhileBlocked) {
  Bell bell;
  const StopSignals signals(bell);
  {
    const StopSignalsBlocked blocked;
    std::raise(SIGTERM);
    EXPECT_EQ(signals.count(), 0U);
  }
  EXPECT_EQ(signals.count(), 1U);
}

TEST(Crash, NamesTheRoomAndKeepsTheSignal) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        install_crash_handler([] { return std::string_view("ChatRoom/lobby"); });
        const CrashStack stack;
        std::abort();
      },
      testing::KilledBySignal(SIGABRT),
      "ringroom crashed: SIGABRT .abort. in a callback of ChatRoom/lobby\n");
}

TEST(Crash, OutsideOfARoomSaysSo) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        install_crash_handler([] { return std::string_view(); });
        const CrashStack stack;
        std::raise(SIGABRT);
      },
      testing::KilledBySignal(SIGABRT), "ringroom crashed: SIGABRT .abort. outside of a room\n");
}

}  // namespace
}  // namespace ringroom::server
