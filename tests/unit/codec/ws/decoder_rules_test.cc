// Every MUST of RFC 6455 §5–§7 that a decoder decides, with the close code that answers it.
#include "decode_test_support.h"

namespace ringroom::codec::ws {
namespace {

using namespace testing;

struct Rule {
  std::string_view name;
  std::string wire;
  std::uint16_t code;
  std::string_view reason = {};  // where clients are told in fixed words
  DecoderOptions options = {};
};

std::string close_frame(std::string payload) {
  return Frame{.opcode = 8, .payload = payload}.wire();
}

constexpr DecoderOptions client{.role = Role::client};
constexpr DecoderOptions deflate{.deflate = true};
constexpr DecoderOptions small{.message_bytes_max = 10};

std::vector<Rule> frame_rules() {
  const std::string open = Frame{.payload = "a", .fin = false}.wire();
  return {
      {"5.1 unmasked frame from a client", Frame{.masked = false}.wire(), 1002},
      {"5.1 unmasked payload from a client", Frame{.payload = "abc", .masked = false}.wire(), 1002},
      {"5.1 unmasked control from a client", Frame{.opcode = 9, .masked = false}.wire(), 1002},
      {"5.1 masked frame from a server", Frame{.payload = "abc"}.wire(), 1002, {}, client},
      {"5.2 RSV1 without extension", Frame{.rsv = 4}.wire(), 1002},
      {"5.2 RSV2", Frame{.rsv = 2}.wire(), 1002},
      {"5.2 RSV3", Frame{.rsv = 1}.wire(), 1002},
      {"5.2 RSV2 with deflate", Frame{.rsv = 2}.wire(), 1002, {}, deflate},
      {"5.2 RSV3 with deflate", Frame{.rsv = 5}.wire(), 1002, {}, deflate},
      {"7692-6.1 RSV1 on a continuation",
       open + Frame{.opcode = 0, .rsv = 4}.wire(),
       1002,
       {},
       deflate},
      {"7692-6.1 RSV1 on a ping", Frame{.opcode = 9, .rsv = 4}.wire(), 1002, {}, deflate},
      {"7692-6.1 RSV1 on a close", Frame{.opcode = 8, .rsv = 4}.wire(), 1002, {}, deflate},
      {"5.2 16 bit length for 125",
       Frame{.payload = repeated(125, 'x'), .length_field = 126}.wire(), 1002},
      {"5.2 16 bit length for 0", Frame{.length_field = 126}.wire(), 1002},
      {"5.2 64 bit length for 126",
       Frame{.payload = repeated(126, 'x'), .length_field = 127}.wire(), 1002},
      {"5.2 64 bit length for 65535",
       Frame{.payload = repeated(65535, 'x'), .length_field = 127}.wire(), 1002},
      {"5.2 64 bit length for 0", Frame{.length_field = 127}.wire(), 1002},
      {"5.2 top bit of the length", Frame{.length_field = 127, .length = 1ULL << 63}.wire(), 1002},
      {"5.2 top bit and more", Frame{.length_field = 127, .length = ~0ULL - 1}.wire(), 1002},
      {"5.4 continuation without a message", Frame{.opcode = 0, .payload = "a"}.wire(), 1002,
       "Unexpected continuation frame"},
      {"5.4 continuation after a whole message", text_frame("a") + Frame{.opcode = 0}.wire(), 1002,
       "Unexpected continuation frame"},
      {"5.4 unfinished continuation without a message", Frame{.opcode = 0, .fin = false}.wire(),
       1002, "Unexpected continuation frame"},
      {"5.4 text inside a message", open + text_frame("b"), 1002, "Missing continuation frame"},
      {"5.4 binary inside a message", open + Frame{.opcode = 2, .payload = "b"}.wire(), 1002,
       "Missing continuation frame"},
      {"5.4 message inside a message after a ping",
       open + Frame{.opcode = 9}.wire() + text_frame("b"), 1002, "Missing continuation frame"},
      {"5.5 fragmented ping", Frame{.opcode = 9, .fin = false}.wire(), 1002,
       "Received fragmented control frame"},
      {"5.5 fragmented pong", Frame{.opcode = 10, .fin = false}.wire(), 1002,
       "Received fragmented control frame"},
      {"5.5 fragmented close", Frame{.opcode = 8, .fin = false}.wire(), 1002,
       "Received fragmented control frame"},
      {"5.5 ping of 126", Frame{.opcode = 9, .payload = repeated(126, 'x')}.wire(), 1002},
      {"5.5 pong of 65536", Frame{.opcode = 10, .payload = repeated(65536, 'x')}.wire(), 1002},
      {"5.5 close of 126", close_frame(bytes({3, 232}) + repeated(124, 'x')), 1002},
      {"5.5.1 close of one byte", close_frame("\x03"), 1002},
      {"5.5.1 close with code 0", close_frame(bytes({0, 0})), 1002},
      {"7.4.1 close with 1005", close_frame(bytes({0x03, 0xed})), 1002},
      {"5.5.1 reason not UTF-8", close_frame(bytes({3, 232, 0xc3, 0x28})), 1007},
      {"5.5.1 reason cut in a character", close_frame(bytes({3, 232, 0xe2, 0x82})), 1007},
      {"8.1 text not UTF-8", text_frame("a\xff"), 1007},
      {"8.1 text cut in a character", text_frame("a\xe2\x82"), 1007},
      {"8.1 fragmented text cut in a character",
       Frame{.payload = "a\xe2", .fin = false}.wire() +
           Frame{.opcode = 0, .payload = "\x82"}.wire(),
       1007},
      {"8.1 fragmented text, empty end inside a character",
       Frame{.payload = "a\xe2", .fin = false}.wire() + Frame{.opcode = 0}.wire(), 1007},
      {"7.4.1 message over the limit", text_frame("0123456789a"), 1009, "Message is too large",
       small},
      {"7.4.1 fragments over the limit",
       Frame{.payload = "0123456789", .fin = false}.wire() +
           Frame{.opcode = 0, .payload = "a"}.wire(),
       1009, "Message is too large", small},
      {"7.4.1 length of 2^63-1", Frame{.length_field = 127, .length = ~0ULL >> 1}.wire(), 1009},
  };
}

TEST(DecoderRules, AnswersEachViolationWithItsCode) {
  for (const Rule& rule : frame_rules()) {
    SCOPED_TRACE(rule.name);
    EXPECT_EQ(error_code(rule.wire, rule.options), rule.code);
    if (!rule.reason.empty()) {
      EXPECT_EQ(decode_cut(rule.wire, rule.options, {}).back().reason, rule.reason);
    }
  }
}

TEST(DecoderRules, RefusesEveryReservedOpcodeByNumber) {
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    for (const bool fin : {true, false}) {
      const std::string wire = Frame{.opcode = opcode, .fin = fin}.wire();
      EXPECT_EQ(error_code(wire), 1002);
      EXPECT_EQ(decode_cut(wire, {}, {}).back().reason, "Unknown opcode " + std::to_string(opcode));
    }
  }
}

TEST(DecoderRules, AcceptsWhatIsAtTheLimitExactly) {
  using Events = std::vector<Observed>;
  EXPECT_EQ(decode(text_frame("0123456789"), small), Events{text("0123456789")});
  const std::string fragments = Frame{.payload = "01234", .fin = false}.wire() +
                                Frame{.opcode = 9, .payload = repeated(125, 'p')}.wire() +
                                Frame{.opcode = 0, .payload = "56789"}.wire();
  EXPECT_EQ(decode(fragments, small), (Events{ping(repeated(125, 'p')), text("0123456789")}));
}

TEST(DecoderRules, RefusesByTheHeaderBeforeAnyPayloadArrives) {
  for (const std::uint64_t length :
       std::initializer_list<std::uint64_t>{11ULL, 126ULL, 70000ULL, 1ULL << 40}) {
    Frame frame{.length = length};
    frame.key = "";
    std::vector<Observed> events;
    Decoder decoder;
    feed(decoder, frame.wire(), small, events);  // not even the mask key is there
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].code, 1009);
    EXPECT_TRUE(decoder.finished());
    EXPECT_EQ(decoder.stored_bytes(), 0U);
  }
}

TEST(DecoderRules, KnowsEveryCloseCode) {
  for (unsigned code = 0; code <= 0xffff; ++code) {
    const std::string payload = bytes({static_cast<int>(code >> 8), static_cast<int>(code & 0xff)});
    const std::vector<Observed> events = decode_cut(close_frame(payload + "r"), {}, {});
    ASSERT_EQ(events.size(), 1U);
    const bool valid = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                       (code >= 3000 && code <= 4999);
    ASSERT_EQ(events[0].kind, valid ? Kind::close : Kind::error) << code;
    ASSERT_EQ(events[0].code, valid ? code : 1002U);
    ASSERT_EQ(is_valid_received_close_code(static_cast<std::uint16_t>(code)), valid);
  }
}

}  // namespace
}  // namespace ringroom::codec::ws
