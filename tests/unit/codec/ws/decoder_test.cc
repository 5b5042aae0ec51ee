#include "codec/ws/decoder.h"

#include "decode_test_support.h"

namespace ringroom::codec::ws {
namespace {

using namespace testing;

using Events = std::vector<Observed>;

constexpr DecoderOptions as_client{.role = Role::client};
constexpr DecoderOptions with_deflate{.deflate = true};

TEST(Decoder, ReadsTheExamplesOfTheRfc) {
  // RFC 6455 §5.7.
  const Events hello = {text("Hello")};
  EXPECT_EQ(decode(bytes({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}), as_client), hello);
  EXPECT_EQ(decode(bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58})),
            hello);
  EXPECT_EQ(decode(bytes({0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f}), as_client),
            hello);
  EXPECT_EQ(decode(bytes({0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}), as_client),
            Events{ping("Hello")});
  EXPECT_EQ(decode(bytes({0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58})),
            Events{pong("Hello")});
}

TEST(Decoder, ReadsEveryLengthForm) {
  for (const std::size_t size : std::initializer_list<std::size_t>{
           0,   1,   2,   3,   4,   31,    32,    33,    64,    65,
           124, 125, 126, 127, 128, 65534, 65535, 65536, 65537, 200000}) {
    const std::string payload = repeated(size, 'x');
    EXPECT_EQ(decode(Frame{.opcode = 2, .payload = payload}.wire()), Events{binary(payload)});
    EXPECT_EQ(decode(Frame{.payload = payload, .masked = false}.wire(), as_client),
              Events{text(payload)});
  }
}

TEST(Decoder, ReadsManyFramesFromOneInput) {
  std::string wire;
  Events expected;
  for (std::size_t size = 0; size < 140; size += 3) {
    const std::string payload = repeated(size, static_cast<char>('a' + size % 26));
    wire += text_frame(payload);
    expected.push_back(text(payload));
  }
  EXPECT_EQ(decode(wire), expected);
}

TEST(Decoder, JoinsFragments) {
  const std::string wire = Frame{.opcode = 2, .payload = "ab", .fin = false}.wire() +
                           Frame{.opcode = 0, .payload = "", .fin = false}.wire() +
                           Frame{.opcode = 0, .payload = "cd", .fin = false}.wire() +
                           Frame{.opcode = 0, .payload = "e"}.wire() + text_frame("next");
  EXPECT_EQ(decode(wire), (Events{binary("abcde"), text("next")}));
}

TEST(Decoder, JoinsEmptyFragments) {
  const std::string wire = Frame{.payload = "", .fin = false}.wire() +
                           Frame{.opcode = 0, .payload = "", .fin = false}.wire() +
                           Frame{.opcode = 0, .payload = ""}.wire() +
                           Frame{.payload = "", .fin = false}.wire() +
                           Frame{.opcode = 0, .payload = "end"}.wire();
  EXPECT_EQ(decode(wire), (Events{text(""), text("end")}));
}

TEST(Decoder, DeliversControlFramesBetweenFragmentsAtOnce) {
  const std::string wire = Frame{.payload = "He", .fin = false}.wire() +
                           Frame{.opcode = 9, .payload = "one"}.wire() +
                           Frame{.opcode = 10, .payload = ""}.wire() +
                           Frame{.opcode = 9, .payload = repeated(125, 'p')}.wire() +
                           Frame{.opcode = 0, .payload = "llo"}.wire();
  EXPECT_EQ(decode(wire), (Events{ping("one"), pong(""), ping(repeated(125, 'p')), text("Hello")}));
}

TEST(Decoder, DeliversCloseBetweenFragmentsAndIgnoresWhatFollows) {
  const std::string wire = Frame{.payload = "He", .fin = false}.wire() +
                           Frame{.opcode = 8, .payload = bytes({3, 232}) + "bye"}.wire() +
                           Frame{.opcode = 0, .payload = "llo"}.wire() + "garbage";
  const Events events = decode(wire);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::close);
  EXPECT_EQ(events[0].code, 1000);
  EXPECT_EQ(events[0].reason, "bye");
}

TEST(Decoder, ReportsAnEmptyCloseAs1005) {
  const Events events = decode(Frame{.opcode = 8}.wire());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::close);
  EXPECT_EQ(events[0].code, 1005);
  EXPECT_EQ(events[0].reason, "");
}

TEST(Decoder, ConsumesAndIgnoresEverythingAfterAnError) {
  const std::string wire =
      Frame{.opcode = 3}.wire() + text_frame("late") + Frame{.opcode = 9}.wire();
  const Events events = decode(wire);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::error);
}

TEST(Decoder, DeliversWhatCameBeforeAnError) {
  EXPECT_EQ(
      decode(text_frame("early") + Frame{.opcode = 11}.wire()),
      (Events{text("early"), {.kind = Kind::error, .code = 1002, .reason = "Unknown opcode 11"}}));
}

TEST(Decoder, HandsOutCompressedMessagesWholeAndUnchecked) {
  const std::string deflated = bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
  Observed whole = text(deflated);
  whole.compressed = true;
  EXPECT_EQ(decode(Frame{.payload = deflated, .rsv = 4}.wire(), with_deflate), Events{whole});
  // RFC 7692 §7.2.3.1: the same in two fragments; only the first has RSV1.
  const std::string fragments =
      Frame{.payload = deflated.substr(0, 3), .fin = false, .rsv = 4}.wire() +
      Frame{.opcode = 0, .payload = deflated.substr(3)}.wire();
  EXPECT_EQ(decode(fragments + text_frame("plain"), with_deflate), (Events{whole, text("plain")}));
}

TEST(Decoder, UnmasksWithEveryKeyAndAcrossPieces) {
  for (const std::string& key : {bytes({0, 0, 0, 0}), bytes({255, 255, 255, 255}),
                                 bytes({1, 0, 0, 0}), bytes({0x80, 0x7f, 0x10, 0xfe})}) {
    std::string payload;
    for (int i = 0; i < 150; ++i) {
      payload.push_back(static_cast<char>(i * 7));
    }
    EXPECT_EQ(decode(Frame{.opcode = 2, .payload = payload, .key = key}.wire()),
              Events{binary(payload)});
  }
}

TEST(Decoder, ShowsOneUnfragmentedFrameInPlaceWithItsHeaderBefore) {
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 5, 125, 126, 65535, 65536}) {
    std::vector<std::byte> memory = to_bytes(text_frame(repeated(size, 'x')));
    std::span<std::byte> input(memory);
    Decoder decoder;
    const Event event = decoder.next(input, {});
    ASSERT_EQ(event.kind, Kind::message);
    EXPECT_TRUE(event.in_place);
    EXPECT_EQ(event.payload.data() + size, memory.data() + memory.size());
    EXPECT_TRUE(decoder.idle());
    EXPECT_EQ(decoder.stored_bytes(), 0U);
  }
}

TEST(Decoder, DoesNotCallInPlaceWhatHasNoHeaderBeforeIt) {
  const std::string wire = text_frame("Hello");
  std::vector<std::byte> header = to_bytes(wire.substr(0, 6));
  std::vector<std::byte> payload = to_bytes(wire.substr(6));
  Decoder decoder;
  std::span<std::byte> input(header);
  EXPECT_EQ(decoder.next(input, {}).kind, Kind::need_more);
  input = payload;
  const Event event = decoder.next(input, {});
  ASSERT_EQ(event.kind, Kind::message);
  EXPECT_EQ(copy(event.payload), "Hello");
  EXPECT_FALSE(event.in_place);

  // The last fragment of a message whose earlier ones were empty: not one unfragmented frame.
  Decoder other;
  std::vector<std::byte> fragments =
      to_bytes(Frame{.fin = false}.wire() + Frame{.opcode = 0, .payload = "Hello"}.wire());
  input = fragments;
  const Event last = other.next(input, {});
  ASSERT_EQ(last.kind, Kind::message);
  EXPECT_FALSE(last.in_place);
}

TEST(Decoder, KeepsItsOwnEventValidUntilTheNextCall) {
  const std::string wire = text_frame("Hello");
  Decoder decoder;
  Events ignored;
  ASSERT_TRUE(feed(decoder, wire.substr(0, 8), {}, ignored));
  Event event;
  {
    std::vector<std::byte> rest = to_bytes(wire.substr(8));
    std::span<std::byte> input(rest);
    event = decoder.next(input, {});
  }
  ASSERT_EQ(event.kind, Kind::message);
  EXPECT_EQ(copy(event.payload), "Hello");
}

// The net itself: a decoder that forgets its state between inputs must be noticed, or the tests
// above would prove nothing.
class ForgetfulDecoder {
 public:
  Event next(std::span<std::byte>& input, const DecoderOptions& options) {
    const Event event = decoder_.next(input, options);
    if (event.kind == Kind::need_more) {
      decoder_ = Decoder();
    }
    return event;
  }

 private:
  Decoder decoder_;
};

TEST(SplitHarness, NoticesADecoderThatForgets) {
  const std::string wire = text_frame("Hello");
  const Events whole = decode_cut<ForgetfulDecoder>(wire, {}, {});
  EXPECT_EQ(whole, Events{text("Hello")});
  EXPECT_FALSE(differing_cuts<ForgetfulDecoder>(wire, {}, whole).empty());
}

}  // namespace
}  // namespace ringroom::codec::ws
