#include "codec/ws/close.h"

#include "decode_test_support.h"

#include <array>

namespace ringroom::codec::ws {
namespace {

using namespace testing;

std::string frame(std::optional<std::uint16_t> code, std::string_view reason) {
  std::array<std::byte, close_frame_bytes_max> out{};
  const std::size_t size = encode_close(out.data(), code, reason);
  return copy(std::span(out).first(size));
}

TEST(Close, WritesFrames) {
  EXPECT_EQ(frame(std::nullopt, ""), bytes({0x88, 0}));
  EXPECT_EQ(frame(1000, ""), bytes({0x88, 2, 0x03, 0xe8}));
  EXPECT_EQ(frame(4999, "bye"), bytes({0x88, 5, 0x13, 0x87}) + "bye");
  const std::string longest = repeated(close_reason_bytes_max, 'r');
  EXPECT_EQ(frame(1001, longest), bytes({0x88, 125, 0x03, 0xe9}) + longest);
}

TEST(Close, WritesWhatTheDecoderReads) {
  const std::vector<Observed> events =
      decode(frame(3000, "gr\xc3\xbc\xc3\x9f"), {.role = Role::client});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::close);
  EXPECT_EQ(events[0].code, 3000);
  EXPECT_EQ(events[0].reason, "gr\xc3\xbc\xc3\x9f");
}

TEST(Close, KnowsWhichCodesMayBeSent) {
  for (const std::uint16_t code :
       std::initializer_list<std::uint16_t>{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011,
                                            1012, 1013, 1014, 3000, 3999, 4000, 4999}) {
    EXPECT_TRUE(is_valid_sent_close_code(code)) << code;
  }
  for (const std::uint16_t code : std::initializer_list<std::uint16_t>{
           0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    EXPECT_FALSE(is_valid_sent_close_code(code)) << code;
  }
}

TEST(Close, LimitsTheReasonInBytesOfUtf8) {
  EXPECT_TRUE(is_valid_close_reason(""));
  EXPECT_TRUE(is_valid_close_reason(repeated(123, 'r')));
  EXPECT_FALSE(is_valid_close_reason(repeated(124, 'r')));
  EXPECT_FALSE(is_valid_close_reason("\xff"));
  std::string accents;
  for (int i = 0; i < 61; ++i) {
    accents += "\xc3\xa9";
  }
  EXPECT_TRUE(is_valid_close_reason(accents + "e"));
  EXPECT_FALSE(is_valid_close_reason(accents + "\xc3\xa9"));
}

TEST(Close, ReadsPayloads) {
  const auto parse = [](std::string_view payload) {
    return parse_close_payload(to_bytes(payload));
  };
  EXPECT_EQ(parse("").code, 1005);
  EXPECT_EQ(parse("").error, 0);
  EXPECT_EQ(parse("\x03").error, 1002);
  EXPECT_EQ(parse(bytes({0x03, 0xe8})).code, 1000);
  EXPECT_EQ(parse(bytes({0x03, 0xed})).error, 1002);
  EXPECT_EQ(parse(bytes({0x03, 0xe8, 0xff})).error, 1007);
  EXPECT_FALSE(parse(bytes({0x03, 0xe8, 0xff})).reason.empty());
}

TEST(CloseDeathTest, StopsAtOurOwnMistakes) {
  EXPECT_DEATH(frame(1005, ""), "assertion failed");
  EXPECT_DEATH(frame(1000, repeated(124, 'r')), "assertion failed");
  EXPECT_DEATH(frame(std::nullopt, "reason"), "assertion failed");
}

}  // namespace
}  // namespace ringroom::codec::ws
