#include "load/schedule.h"

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

TEST(Schedule, ThreadsFillEachOthersGaps) {
  const Schedule second(0, 1000, 0.5);
  EXPECT_EQ(second.next_ns(), 500'000U);
}

}  // namespace
}  // namespace ringroom::load
