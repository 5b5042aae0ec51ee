#include "load/schedule.h"

#include "load/histogram.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

TEST(Schedule, IsEvenAndDoesNotDrift) {
  Schedule schedule(1'000, 3, 0);
  EXPECT_EQ(schedule.next_ns(), 1'000U);
  for (int i = 0; i < 3'000'000; ++i) schedule.take();
  EXPECT_NEAR(static_cast<double>(schedule.next_ns()), 1'000 + 1e15, 1'000);
}

TEST(Schedule, DoesNotWaitForAnybody) {
  Schedule schedule(0, 1000, 0);
  schedule.take();
  EXPECT_EQ(schedule.next_ns(), 1'000'000U);
  schedule.take();  // much later, but nobody asked when
  EXPECT_EQ(schedule.next_ns(), 2'000'000U);
}

// A server that answers at once, but stands still for the sixth of ten seconds, and a client that
// can send nothing meanwhile: as in a closed loop, except that it knows when it should have.
TEST(Schedule, AStallIsChargedForAllThatItHeldUp) {
  constexpr std::uint64_t second = 1'000'000'000;
  constexpr double rate = 1000;
  Schedule schedule(0, rate, 0);
  Histogram from_intended;
  Histogram from_sending;
  for (std::uint64_t now = 0; schedule.next_ns() < 10 * second; schedule.take()) {
    const std::uint64_t due = schedule.next_ns();
    now = std::max(now, due);
    const std::uint64_t sent = now;
    const bool is_stalled = now >= 5 * second && now < 6 * second;
    now = is_stalled ? 6 * second : now + 1000;
    from_intended.add(now - due);
    from_sending.add(now - sent);
  }
  ASSERT_EQ(from_intended.count(), 10'000U);
  // A tenth of the messages was held up, evenly between not at all and a second.
  const auto intended = [&](double share) {
    return static_cast<double>(from_intended.quantile(share)) / 1e9;
  };
  EXPECT_LT(intended(0.89), 0.01);
  EXPECT_NEAR(intended(0.95), 0.5, 0.01);
  EXPECT_NEAR(intended(0.99), 0.9, 0.01);
  EXPECT_NEAR(intended(0.999), 0.99, 0.01);
  // Counted from the sending, the same stall is one slow message, and no percentile shows it.
  EXPECT_LT(from_sending.quantile(0.9999), 2'000U);
  EXPECT_NEAR(static_cast<double>(from_sending.max()), 1e9, 1e6);
}

TEST(Schedule, ARampIsDueWhenItsRateSays) {
  constexpr std::uint64_t second = 1'000'000'000;
  // In t seconds of a ramp from 0 to 200 in 10 s there are 10 t^2 messages.
  Schedule schedule(0, {{10 * second, 0, 200}}, 0);
  for (int i = 0; i < 1'000; ++i, schedule.take()) {
    const double due_s = static_cast<double>(schedule.next_ns()) / 1e9;
    ASSERT_NEAR(10 * due_s * due_s, i, 1e-3);
  }
  EXPECT_EQ(schedule.turn(), 1'000U);
  EXPECT_EQ(schedule.next_ns(), UINT64_MAX);
}

TEST(Schedule, StretchesFollowEachOther) {
  constexpr std::uint64_t second = 1'000'000'000;
  Schedule schedule(
      5, {{second, 0, 0}, {second, 100, 0}, {0, 7, 7}, {second, 0, 10}, {second, 3, 3}}, 0);
  std::vector<int> sent(5);
  for (; schedule.next_ns() != UINT64_MAX; schedule.take()) {
    ++sent.at((schedule.next_ns() - 5) / second);
  }
  EXPECT_EQ(sent, (std::vector<int>{0, 50, 5, 3, 0}));
}

TEST(Schedule, ThreadsFillEachOthersGaps) {
  const Schedule second(0, 1000, 0.5);
  EXPECT_EQ(second.next_ns(), 500'000U);
}

}  // namespace
}  // namespace ringroom::load
