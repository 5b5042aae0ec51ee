#include "base/random.h"

#include <array>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ringroom::base {
namespace {

TEST(Random, RepeatsASeedAndNothingElse) {
  Random first(42);
  Random again(42);
  Random other(43);
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t number = first.next();
    EXPECT_EQ(number, again.next());
    EXPECT_NE(number, other.next());
  }
}

// xoshiro256** of the state that SplitMix64 makes of seed 0, as both are published.
TEST(Random, IsTheGeneratorItSaysItIs) {
  Random random(0);
  EXPECT_EQ(random.next(), 0x99ec5f36cb75f2b4U);
  EXPECT_EQ(random.next(), 0xbf6e1f784956452aU);
  EXPECT_EQ(random.next(), 0x1a5f849d4933e6e0U);
}

TEST(Random, IsSeededByTheKernel) {
  EXPECT_NE(Random::from_kernel().next(), Random::from_kernel().next());
}

TEST(Random, UsesAllBits) {
  Random random(1);
  int ones[64] = {};
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t number = random.next();
    for (int bit = 0; bit < 64; ++bit) ones[bit] += static_cast<int>(number >> bit & 1);
  }
  for (const int count : ones) EXPECT_NEAR(count, 5000, 400);
}

TEST(Random, MakesNanoidsOf21UrlSafeCharacters) {
  Random random(5);
  std::set<std::string> ids;
  std::set<char> characters;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = random.nanoid();
    EXPECT_EQ(id.size(), 21U);
    EXPECT_TRUE(ids.insert(id).second) << id;
    characters.insert(id.begin(), id.end());
  }
  const std::string alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
  EXPECT_EQ(std::string(characters.begin(), characters.end()), alphabet);
}

TEST(Random, VariesEveryPlaceOfANanoid) {
  Random random(6);
  std::array<std::set<char>, 21> seen;
  for (int i = 0; i < 2000; ++i) {
    const std::string id = random.nanoid();
    for (std::size_t place = 0; place < id.size(); ++place) seen[place].insert(id[place]);
  }
  for (const std::set<char>& characters : seen) EXPECT_EQ(characters.size(), 64U);
}

}  // namespace
}  // namespace ringroom::base
