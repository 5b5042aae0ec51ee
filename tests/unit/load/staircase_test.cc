#include "load/staircase.h"

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

constexpr std::uint64_t ms = 1'000'000;

Histogram latencies(std::uint64_t value_ns) {
  Histogram made;
  for (int i = 0; i < 1000; ++i) made.add(value_ns);
  return made;
}

Staircase::Part part(std::uint32_t open, double server_cpu_s = 0) {
  return {.open = open,
          .length_s = 1,
          .tally = {},
          .client_use = 0.5,
          .server_cpu_ns = server_cpu_s * 1e9};
}

// All parts of one step.
bool climb(Staircase& stairs, std::uint32_t players, std::uint64_t latency_ns) {
  bool goes_on = true;
  for (unsigned i = 0; i < Staircase::parts; ++i) {
    goes_on = stairs.add(part(players), latencies(latency_ns));
  }
  return goes_on;
}

TEST(Staircase, AnswersTheLastStepThatWasCarried) {
  Staircase stairs(50 * ms);
  EXPECT_EQ(stairs.players(), 0U);
  EXPECT_TRUE(climb(stairs, 100, 10 * ms));
  EXPECT_TRUE(climb(stairs, 200, 49 * ms));
  EXPECT_TRUE(climb(stairs, 300, 51 * ms));
  EXPECT_FALSE(climb(stairs, 400, 51 * ms));
  EXPECT_EQ(stairs.players(), 200U);
  ASSERT_EQ(stairs.steps().size(), 4U);
  EXPECT_FALSE(stairs.steps().back().is_carried);
}

TEST(Staircase, AMachineThatStoodStillOnceIsNoLimit) {
  Staircase stairs(50 * ms);
  EXPECT_TRUE(climb(stairs, 100, 51 * ms));
  EXPECT_TRUE(climb(stairs, 200, 10 * ms));
  EXPECT_TRUE(climb(stairs, 300, 51 * ms));
  EXPECT_TRUE(climb(stairs, 400, 10 * ms));
  EXPECT_EQ(stairs.players(), 400U);
}

TEST(Staircase, WhatHappensWhileConnectingDoesNotCount) {
  Staircase stairs(50 * ms);
  stairs.add(part(50), latencies(900 * ms));
  stairs.add(part(100), latencies(10 * ms));
  EXPECT_TRUE(stairs.add(part(100), latencies(10 * ms)));
  EXPECT_LT(stairs.steps().front().max_ns, 11 * ms);
}

TEST(Staircase, AFaultIsNotCarriedWheneverItComes) {
  for (unsigned when = 0; when < Staircase::parts; ++when) {
    Staircase stairs(50 * ms);
    bool goes_on = true;
    for (unsigned i = 0; i < Staircase::parts; ++i) {
      Staircase::Part one = part(100);
      if (i == when) one.tally.add(Fault::closed);
      goes_on = stairs.add(one, latencies(ms));
    }
    EXPECT_FALSE(goes_on) << when;
    EXPECT_EQ(stairs.players(), 0U);
  }
}

TEST(Staircase, SilenceIsNotCarried) {
  Staircase stairs(50 * ms);
  stairs.add(part(100), {});
  stairs.add(part(100), {});
  EXPECT_FALSE(stairs.add(part(100), {}));
}

TEST(Staircase, TellsTheServersCoresOfTheMeasuredPart) {
  Staircase stairs(50 * ms);
  stairs.add(part(100, 5), latencies(ms));
  stairs.add(part(100, 5.5), latencies(ms));
  stairs.add(part(100, 6.5), latencies(ms));
  EXPECT_DOUBLE_EQ(stairs.steps().front().server_use, 0.75);
}

}  // namespace
}  // namespace ringroom::load
