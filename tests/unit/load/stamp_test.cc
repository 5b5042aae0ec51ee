#include "load/stamp.h"

#include "codec/ws/utf8.h"

#include <vector>

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

using Verdict = Stationery::Verdict;

constexpr std::uint32_t run = 77;

class StampTest : public testing::TestWithParam<bool> {
 protected:
  std::vector<std::byte> message(std::uint32_t bytes) const {
    std::vector<std::byte> made(bytes);
    stationery_.write(made.data(), {5, 6, 7, bytes, 8'000'000'000});
    return made;
  }

  Stationery stationery_{run, GetParam(), 1000};
};

TEST_P(StampTest, ComesBackAsItWasWritten) {
  for (auto bytes = static_cast<std::uint32_t>(stationery_.bytes_min()); bytes <= 1000; ++bytes) {
    Stamp stamp;
    ASSERT_EQ(stationery_.read(message(bytes), stamp), Verdict::ours) << bytes;
    EXPECT_EQ(stamp.sender, 5U);
    EXPECT_EQ(stamp.number, 6U);
    EXPECT_EQ(stamp.slot, 7U);
    EXPECT_EQ(stamp.bytes, bytes);
    EXPECT_EQ(stamp.intended_ns, 8'000'000'000U);
  }
}

TEST_P(StampTest, IsMaskedAsAFrameOfItWouldBe) {
  constexpr codec::ws::MaskKey key = 0x9c01f7a3;
  const auto least = static_cast<std::uint32_t>(stationery_.bytes_min());
  for (std::uint32_t bytes = least; bytes < least + 100; ++bytes) {
    std::vector<std::byte> made(bytes);
    stationery_.write(made.data(), {5, 6, 7, bytes, 8'000'000'000}, key);
    codec::ws::unmask(made.data(), made.size(), key);
    EXPECT_EQ(made, message(bytes)) << bytes;
  }
}

TEST_P(StampTest, AnyChangedBitIsSeen) {
  const auto least = static_cast<std::uint32_t>(stationery_.bytes_min());
  for (const std::uint32_t bytes :
       {least, least + 1, least + 15, least + 16, least + 31, least + 32, 200U}) {
    const std::vector<std::byte> whole = message(bytes);
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      std::vector<std::byte> changed = whole;
      changed[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      Stamp stamp;
      ASSERT_NE(stationery_.read(changed, stamp), Verdict::ours) << bytes << " bytes, bit " << bit;
    }
  }
}

TEST_P(StampTest, IsNeverLongerThanTheRunsMessages) {
  const Stationery small(run, GetParam(), stationery_.bytes_min() + 5);
  Stamp stamp;
  const auto most = static_cast<std::uint32_t>(stationery_.bytes_min() + 5);
  EXPECT_EQ(small.read(message(most), stamp), Verdict::ours);
  EXPECT_EQ(small.read(message(most + 1), stamp), Verdict::corrupted);
}

TEST_P(StampTest, AMessageOfAnotherLengthIsCorrupted) {
  std::vector<std::byte> changed = message(200);
  Stamp stamp;
  EXPECT_EQ(stationery_.read(std::span(changed).first(199), stamp), Verdict::corrupted);
  changed.push_back(std::byte{0});
  EXPECT_EQ(stationery_.read(changed, stamp), Verdict::corrupted);
}

TEST_P(StampTest, MessagesOfOthersAreForeign) {
  const Stationery other(run + 1, GetParam(), 1000);
  Stamp stamp;
  EXPECT_EQ(other.read(message(100), stamp), Verdict::foreign);
  EXPECT_EQ(stationery_.read({}, stamp), Verdict::foreign);
  const std::vector<std::byte> noise(300, std::byte{'x'});
  EXPECT_EQ(stationery_.read(noise, stamp), Verdict::foreign);
}

INSTANTIATE_TEST_SUITE_P(Form, StampTest, testing::Bool(), [](const auto& form) {
  return form.param ? "Text" : "Binary";
});

TEST(Stamp, ATextIsAscii) {
  const Stationery stationery(run, true, 500);
  std::vector<std::byte> made(500);
  stationery.write(made.data(), {UINT32_MAX, UINT32_MAX, UINT32_MAX, 500, UINT64_MAX});
  EXPECT_TRUE(codec::ws::is_ascii(made));
}

}  // namespace
}  // namespace ringroom::load
