#include "load/recorder.h"

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

// A warm-up until 100, phases until 200, 300 and 500.
Recorder made() {
  Recorder recorder;
  recorder.times = {0, 100, 500};
  recorder.set_phases({200, 300, 500});
  return recorder;
}

std::vector<std::uint64_t> counts(Recorder& recorder) {
  std::vector<std::uint64_t> made;
  for (const Histogram& phase : recorder.phases()) made.push_back(phase.count());
  return made;
}

TEST(Recorder, AMessageBelongsToThePhaseInWhichItShouldHaveLeft) {
  for (const bool moves : {true, false}) {
    Recorder recorder = made();
    for (std::uint64_t now = 0; now < 600; now += 10) {
      if (moves) recorder.move_to(now);
      recorder.record(now, now + 5);
      if (now >= 150) recorder.record(now - 150, now);  // late, out of another phase
    }
    EXPECT_EQ(counts(recorder), (std::vector<std::uint64_t>{20, 20, 35}));
    EXPECT_EQ(recorder.measured().count(), 75U);
    EXPECT_EQ(recorder.phases()[2].max(), 150U);
  }
}

TEST(Recorder, WhatCameTogetherIsCountedOneByOne) {
  Recorder recorder = made();
  recorder.move_to(150);
  for (int i = 0; i < 3; ++i) recorder.record(140, 150);
  for (int i = 0; i < 2; ++i) recorder.record(140, 160);
  for (int i = 0; i < 4; ++i) recorder.record(50, 160);  // of the warm-up
  EXPECT_EQ(recorder.take_interval().count(), 9U);
  recorder.record(140, 160);
  recorder.move_to(250);
  for (int i = 0; i < 5; ++i) recorder.record(190, 250);
  EXPECT_EQ(counts(recorder), (std::vector<std::uint64_t>{11, 0, 0}));
  const Histogram all = recorder.measured();
  EXPECT_EQ(all.quantile(3.0 / 11), 10U);
  EXPECT_EQ(all.quantile(6.0 / 11), 20U);
  EXPECT_EQ(all.max(), 60U);
  EXPECT_EQ(recorder.take_interval().count(), 6U);
}

TEST(Recorder, TheBoundsAreHalfOpen) {
  Recorder recorder = made();
  for (const std::uint64_t moment : {99U, 100U, 199U, 200U, 299U, 300U, 499U, 500U}) {
    recorder.move_to(moment);
    recorder.record(moment, moment);
  }
  EXPECT_EQ(counts(recorder), (std::vector<std::uint64_t>{2, 2, 2}));
}

TEST(Recorder, AnIntervalHasAllThatCameInIt) {
  Recorder recorder = made();
  recorder.move_to(50);
  recorder.record(50, 60);
  recorder.move_to(150);
  recorder.record(150, 160);
  recorder.record(60, 160);
  EXPECT_EQ(recorder.take_interval().count(), 3U);
  recorder.record(170, 180);
  recorder.move_to(250);
  recorder.record(170, 250);
  recorder.record_outside(7);
  const Histogram interval = recorder.take_interval();
  EXPECT_EQ(interval.count(), 3U);
  EXPECT_EQ(interval.max(), 80U);
  EXPECT_EQ(recorder.take_interval().count(), 0U);
  EXPECT_EQ(counts(recorder), (std::vector<std::uint64_t>{3, 0, 0}));
  EXPECT_EQ(recorder.measured().count(), 4U);  // with what has no time
}

}  // namespace
}  // namespace ringroom::load
