#include "codec/ws/mask.h"

#include "wire.h"

#include <random>

#include <gtest/gtest.h>

namespace ringroom::codec::ws {
namespace {

using namespace testing;

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> data(size);
  for (std::size_t i = 0; i < size; ++i) {
    data[i] = static_cast<std::byte>(i * 31 + 7);
  }
  return data;
}

std::vector<std::byte> masked_by_definition(std::vector<std::byte> data, const std::string& key) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] ^= static_cast<std::byte>(key[i % 4]);
  }
  return data;
}

TEST(Mask, IsTheXorOfTheRfcForEverySizeAndAlignment) {
  const std::string key = "\x12\x34\xab\xcd";
  const MaskKey word = load_mask_key(to_bytes(key).data());
  for (std::size_t size = 0; size <= 400; ++size) {
    for (std::size_t offset = 0; offset < 9; ++offset) {
      const std::vector<std::byte> original = pattern(size + offset + 3);
      std::vector<std::byte> data = original;
      unmask(data.data() + offset, size, word);
      const std::vector<std::byte> expected = masked_by_definition(
          {original.begin() + static_cast<std::ptrdiff_t>(offset), original.end() - 3}, key);
      const std::span<const std::byte> all(data);
      ASSERT_TRUE(std::ranges::equal(all.subspan(offset, size), expected)) << size;
      // The neighbours keep their bytes.
      ASSERT_TRUE(std::ranges::equal(all.first(offset), std::span(original).first(offset)));
      ASSERT_TRUE(std::ranges::equal(all.last(3), std::span(original).last(3)));
    }
  }
}

TEST(Mask, TellsWhetherTheResultIsAscii) {
  constexpr MaskKey key = 0x80c0ffee;
  for (std::size_t size = 0; size <= 300; ++size) {
    std::vector<std::byte> text(size, std::byte{0x7f});
    unmask(text.data(), size, key);
    const std::vector<std::byte> masked = text;
    ASSERT_TRUE(unmask(text.data(), size, key)) << size;
    for (std::size_t at = 0; at < size; ++at) {
      text = masked;
      text[at] ^= std::byte{0x80};
      ASSERT_FALSE(unmask(text.data(), size, key)) << size << " " << at;
    }
  }
}

TEST(Mask, IsItsOwnInverse) {
  std::vector<std::byte> data = pattern(70001);
  unmask(data.data(), data.size(), 0xdeadbeef);
  EXPECT_NE(data, pattern(70001));
  unmask(data.data(), data.size(), 0xdeadbeef);
  EXPECT_EQ(data, pattern(70001));
}

TEST(Mask, GoesOnInTheMiddleWithATurnedKey) {
  const std::string key = "\x01\x20\x03\x40";
  const MaskKey word = load_mask_key(to_bytes(key).data());
  const std::vector<std::byte> expected = masked_by_definition(pattern(200), key);
  for (std::size_t cut = 0; cut <= 200; ++cut) {
    std::vector<std::byte> data = pattern(200);
    unmask(data.data(), cut, word);
    unmask(data.data() + cut, 200 - cut, rotate_mask_key(word, cut));
    ASSERT_EQ(data, expected) << cut;
  }
}

}  // namespace
}  // namespace ringroom::codec::ws
