#include "load/histogram.h"

#include "base/random.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

// What a quantile of these values is, by the definition.
std::uint64_t exact_quantile(std::vector<std::uint64_t> values, double share) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.quantile(0.99), 0U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
}

TEST(Histogram, KeepsSmallValuesExactly) {
  Histogram histogram;
  for (std::uint64_t value = 0; value < 2048; ++value) histogram.add(value);
  for (std::uint64_t rank = 1; rank <= 2048; ++rank) {
    EXPECT_EQ(histogram.quantile(static_cast<double>(rank) / 2048), rank - 1);
  }
}

TEST(Histogram, IsOffByLessThanOneInAThousandEverywhere) {
  for (std::uint64_t value = 1; value < Histogram::value_max / 3; value = value * 3 + 1) {
    for (const std::uint64_t near : {value - 1, value, value + 1}) {
      Histogram histogram;
      histogram.add(near);
      histogram.add(Histogram::value_max);
      const std::uint64_t told = histogram.quantile(0.5);
      EXPECT_GE(told, near);
      EXPECT_LE(static_cast<double>(told - near), static_cast<double>(near) / 1000) << near;
    }
  }
}

TEST(Histogram, TellsTheQuantilesOfAnyMixture) {
  base::Random random(7);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t value = random.next() >> (random.next() % 40 + 24);
    values.push_back(value);
    histogram.add(value);
  }
  for (const double share : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto exact = static_cast<double>(exact_quantile(values, share));
    EXPECT_NEAR(static_cast<double>(histogram.quantile(share)), exact, exact / 1000 + 0.5) << share;
  }
  EXPECT_EQ(histogram.max(), exact_quantile(values, 1));
  EXPECT_EQ(histogram.min(), exact_quantile(values, 0));
}

TEST(Histogram, CountsWhatIsTooLargeInItsLastBucket) {
  Histogram histogram;
  histogram.add(UINT64_MAX);
  EXPECT_EQ(histogram.quantile(1), Histogram::value_max);
}

TEST(Histogram, MergesAsIfAllHadBeenAddedToOne) {
  Histogram one;
  Histogram other;
  Histogram both;
  for (std::uint64_t value = 1; value < 1'000'000; value += 997) {
    (value % 2 == 0 ? one : other).add(value);
    both.add(value);
  }
  one.merge(other);
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.min(), both.min());
  EXPECT_DOUBLE_EQ(one.mean(), both.mean());
  for (const double share : {0.1, 0.5, 0.99}) EXPECT_EQ(one.quantile(share), both.quantile(share));
}

TEST(Histogram, ForgetsWhenCleared) {
  Histogram histogram;
  histogram.add(5);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  histogram.add(9);
  EXPECT_EQ(histogram.min(), 9U);
  EXPECT_EQ(histogram.quantile(0), 9U);
}

TEST(Histogram, AQuantileHasAtLeastThatShareBelowIt) {
  Histogram histogram;
  for (const std::uint64_t value : {1U, 2U, 3U}) histogram.add(value);
  EXPECT_EQ(histogram.quantile(0.5), 2U);
  EXPECT_EQ(histogram.quantile(0.67), 3U);
}

}  // namespace
}  // namespace ringroom::load
