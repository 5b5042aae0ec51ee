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
  for (const std::uint32_t bytes :
       {static_cast<std::uint32_t>(stationery_.bytes_min()), 100U, 1000U}) {
    Stamp stamp;
    ASSERT_EQ(stationery_.read(message(bytes), stamp), Verdict::ours);
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
  for (const std::uint32_t bytes : {least, least + 1, least + 63, least + 64, least + 65, 1000U}) {
    std::vector<std::byte> made(bytes);
    stationery_.write(made.data(), {5, 6, 7, bytes, 8'000'000'000}, key);
    codec::ws::unmask(made.data(), made.size(), key);
    EXPECT_EQ(made, message(bytes)) << bytes;
  }
}

TEST_P(StampTest, AnyChangedByteIsSeen) {
  for (std::size_t at = 0; at < 200; ++at) {
    std::vector<std::byte> changed = message(200);
    changed[at] ^= std::byte{1};
    Stamp stamp;
    EXPECT_NE(stationery_.read(changed, stamp), Verdict::ours) << at;
  }
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
