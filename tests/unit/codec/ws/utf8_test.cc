#include "codec/ws/utf8.h"

#include "wire.h"

#include <vector>

#include <gtest/gtest.h>

namespace ringroom::codec::ws {
namespace {

using namespace testing;

bool valid(std::string_view text) {
  return is_valid_utf8(to_bytes(text));
}

/// The encoding of a code point, surrogates and what is too large included.
std::string encoded(unsigned point) {
  const auto tail = [&](unsigned shift) {
    return static_cast<int>(0x80 | ((point >> shift) & 0x3f));
  };
  if (point < 0x80) {
    return bytes({static_cast<int>(point)});
  }
  if (point < 0x800) {
    return bytes({static_cast<int>(0xc0 | (point >> 6)), tail(0)});
  }
  if (point < 0x10000) {
    return bytes({static_cast<int>(0xe0 | (point >> 12)), tail(6), tail(0)});
  }
  return bytes({static_cast<int>(0xf0 | (point >> 18)), tail(12), tail(6), tail(0)});
}

TEST(Utf8, TakesEveryScalarValueAndNoOther) {
  for (unsigned point = 0; point < 0x120000; ++point) {
    const bool scalar = point < 0xd800 || (point > 0xdfff && point < 0x110000);
    ASSERT_EQ(valid(encoded(point)), scalar) << std::hex << point;
  }
}

TEST(Utf8, IsCheckedAtEveryLengthAndPlace) {
  for (std::size_t size = 1; size < 300; ++size) {
    std::string text = repeated(size, 'x');
    ASSERT_TRUE(valid(text));
    for (std::size_t at = 0; at < size; at += 1 + size / 40) {
      text[at] = '\x80';
      ASSERT_FALSE(valid(text)) << size << " " << at;
      text[at] = 'x';
    }
  }
  EXPECT_TRUE(valid(""));
}

/// Tries all ways to go on with up to three more bytes, one for each range in which RFC 3629 §4
/// lets a continuation byte lie.
bool can_become_valid(const std::string& text, int depth = 3) {
  if (valid(text)) {
    return true;
  }
  for (const char next : {'\x80', '\x90', '\xa0'}) {
    if (depth > 0 && can_become_valid(text + next, depth - 1)) {
      return true;
    }
  }
  return false;
}

TEST(Utf8, PrefixIsRefusedExactlyWhenNothingCanSaveIt) {
  for (const std::string& before : {std::string(), std::string("a"), std::string("\xe2\x82\xac")}) {
    for (int first = 0; first < 256; ++first) {
      for (const int second : {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2,
                               0xdf, 0xe0, 0xf4, 0xff}) {
        const std::string one = before + bytes({first});
        const std::string two = before + bytes({first, second});
        ASSERT_EQ(check_utf8_prefix(to_bytes(one)).valid, can_become_valid(one)) << first;
        ASSERT_EQ(check_utf8_prefix(to_bytes(two)).valid, can_become_valid(two))
            << first << " " << second;
        for (const int third : {0x00, 0x7f, 0x80, 0xbf, 0xc2, 0xf0}) {
          const std::string three = two + bytes({third});
          ASSERT_EQ(check_utf8_prefix(to_bytes(three)).valid, can_become_valid(three))
              << first << " " << second << " " << third;
        }
      }
    }
  }
}

TEST(Utf8, PrefixCountsTheBytesOfAnUnfinishedCharacter) {
  const std::string smile = "\xf0\x9f\x98\x80";
  for (std::size_t size = 0; size <= 4; ++size) {
    const Utf8Prefix prefix = check_utf8_prefix(to_bytes("ab" + smile.substr(0, size)));
    EXPECT_TRUE(prefix.valid);
    EXPECT_EQ(prefix.unfinished, size % 4);
  }
}

}  // namespace
}  // namespace ringroom::codec::ws
