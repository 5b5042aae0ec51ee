#include "load/calendar.h"

#include <vector>

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

constexpr std::uint64_t begin_ns = 1'000'000;
constexpr std::uint64_t period_ns = 1000;
constexpr std::uint32_t devices = 50;

TEST(Calendar, EveryDeviceSpeaksOnceInEachPeriodOfItsOwn) {
  Calendar calendar(begin_ns, period_ns, 0, devices, base::Random(1));
  std::vector<std::vector<std::uint64_t>> spoke(devices);
  for (std::uint32_t i = 0; i < 10 * devices; ++i) {
    spoke[calendar.turn()].push_back(calendar.next_ns());
    calendar.take();
  }
  for (const std::vector<std::uint64_t>& times : spoke) {
    ASSERT_EQ(times.size(), 10U);
    EXPECT_GE(times[0], begin_ns);
    EXPECT_LT(times[0], begin_ns + period_ns);
    for (std::size_t i = 1; i < times.size(); ++i) EXPECT_EQ(times[i] - times[i - 1], period_ns);
  }
  EXPECT_NE(spoke[0][0], spoke[1][0]);
}

TEST(Calendar, JitterMakesLateAndDoesNotDrift) {
  Calendar calendar(begin_ns, period_ns, 0.5, 1, base::Random(2));
  std::vector<std::uint64_t> times;
  for (int i = 0; i < 10'000; ++i) {
    times.push_back(calendar.next_ns());
    calendar.take();
  }
  std::uint64_t least = UINT64_MAX;
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const std::uint64_t within = times[i] - i * period_ns;  // of the period, if nothing drifts
    least = std::min(least, within);
    most = std::max(most, within);
  }
  EXPECT_GT(most - least, period_ns * 45 / 100);
  EXPECT_LE(most - least, period_ns / 2);
}

TEST(Calendar, IsInOrder) {
  Calendar calendar(begin_ns, period_ns, 1, devices, base::Random(3));
  std::uint64_t last = 0;
  for (int i = 0; i < 5'000; ++i) {
    EXPECT_GE(calendar.next_ns(), last);
    last = calendar.next_ns();
    calendar.take();
  }
}

}  // namespace
}  // namespace ringroom::load
