// What a decoder may keep: what has arrived, at most twice, and nothing when it is idle.
#include "decode_test_support.h"

namespace ringroom::codec::ws {
namespace {

using namespace testing;

TEST(DecoderMemory, IsSmallAndFreeWhenIdle) {
  static_assert(sizeof(Decoder) <= 64);
  const Decoder decoder;
  EXPECT_TRUE(decoder.idle());
  EXPECT_EQ(decoder.stored_bytes(), 0U);
}

TEST(DecoderMemory, GrowsWithWhatArrivedNotWithWhatIsPromised) {
  constexpr std::size_t promised = 1000000;
  const DecoderOptions options{.message_bytes_max = promised};
  Decoder decoder;
  std::vector<Observed> events;
  const std::string wire = Frame{.opcode = 2, .payload = repeated(promised, 'x')}.wire();
  feed(decoder, wire.substr(0, 14), options, events);
  EXPECT_EQ(decoder.stored_bytes(), 0U);
  std::size_t arrived = 0;
  for (const std::size_t piece :
       std::initializer_list<std::size_t>{1, 1, 10, 100, 5000, 3, 70000, 1, 200000, 400000}) {
    feed(decoder, wire.substr(14 + arrived, piece), options, events);
    arrived += piece;
    EXPECT_LE(decoder.stored_bytes(), 2 * arrived);
  }
  EXPECT_LE(decoder.stored_bytes(), promised);
  EXPECT_TRUE(events.empty());
}

TEST(DecoderMemory, StaysWithinTheLimitAndOneControlFrame) {
  const DecoderOptions options{.message_bytes_max = 1000};
  Decoder decoder;
  std::vector<Observed> events;
  const std::string ping_wire = Frame{.opcode = 9, .payload = repeated(125, 'p')}.wire();
  for (int i = 0; i < 1000; ++i) {
    const Frame frame{.opcode = i == 0 ? 2 : 0, .payload = "x", .fin = false};
    const std::string wire = frame.wire() + ping_wire;
    feed(decoder, wire.substr(0, 20), options, events);
    feed(decoder, wire.substr(20), options, events);
    ASSERT_LE(decoder.stored_bytes(), options.message_bytes_max + control_payload_bytes_max);
  }
  feed(decoder, Frame{.opcode = 0}.wire(), options, events);
  ASSERT_EQ(events.size(), 1001U);
  EXPECT_EQ(events.back().payload, repeated(1000, 'x'));
  EXPECT_EQ(events[500].payload, repeated(125, 'p'));
}

TEST(DecoderMemory, LetsACompressedMessageBeLongerByWhatDeflateAdds) {
  const DecoderOptions options{.message_bytes_max = 100'000, .deflate = true};
  const std::string most = repeated(deflated_bytes_max(100'000), 'x');
  for (const bool fits : {true, false}) {
    Decoder decoder;
    std::vector<Observed> events;
    const Frame frame{.opcode = 2, .payload = fits ? most : most + "x", .rsv = 4};
    feed(decoder, frame.wire(), options, events);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events.back().kind, fits ? Event::Kind::message : Event::Kind::error);
  }
}

/// The number of times the memory of a decoder grows while it takes these pieces.
std::size_t growths(const std::vector<std::string>& pieces) {
  Decoder decoder;
  std::vector<Observed> events;
  std::size_t count = 0;
  for (const std::string& piece : pieces) {
    const std::size_t before = decoder.stored_bytes();
    feed(decoder, piece, {}, events);
    count += decoder.stored_bytes() > before ? 1U : 0U;
  }
  return count;
}

TEST(DecoderMemory, GrowsByDoublingSoThatTinyPiecesCostNoCopyEach) {
  const std::string big =
      Frame{.opcode = 2, .payload = repeated(20000, 'x'), .length = 30000}.wire();
  std::vector<std::string> bytes_of_frame;
  for (const char c : big) {
    bytes_of_frame.emplace_back(1, c);
  }
  EXPECT_LE(growths(bytes_of_frame), 20U);

  std::vector<std::string> fragments;
  const std::string ping_wire = Frame{.opcode = 9, .payload = repeated(125, 'p')}.wire();
  for (int i = 0; i < 20000; ++i) {
    fragments.push_back(Frame{.opcode = i == 0 ? 2 : 0, .payload = "x", .fin = false}.wire() +
                        ping_wire.substr(0, 100));
    fragments.push_back(ping_wire.substr(100));
  }
  EXPECT_LE(growths(fragments), 20U);
}

TEST(DecoderMemory, IsFreedAfterTheMessage) {
  const std::string fragment =
      Frame{.opcode = 2, .payload = repeated(5000, 'x'), .fin = false}.wire();
  const std::string last = Frame{.opcode = 0, .payload = "x"}.wire();
  Decoder decoder;
  std::vector<Observed> events;
  feed(decoder, fragment, {}, events);
  EXPECT_FALSE(decoder.idle());
  EXPECT_GE(decoder.stored_bytes(), 5000U);
  feed(decoder, last, {}, events);
  EXPECT_TRUE(decoder.idle());
  EXPECT_EQ(decoder.stored_bytes(), 0U);
  EXPECT_EQ(events.size(), 1U);
}

TEST(DecoderMemory, IsFreedAfterACutControlFrame) {
  const std::string wire = Frame{.opcode = 9, .payload = "ping"}.wire();
  Decoder decoder;
  std::vector<Observed> events;
  feed(decoder, wire.substr(0, 8), {}, events);
  EXPECT_FALSE(decoder.idle());
  feed(decoder, wire.substr(8), {}, events);
  EXPECT_EQ(events.size(), 1U);
  EXPECT_TRUE(decoder.idle());
  EXPECT_EQ(decoder.stored_bytes(), 0U);
}

TEST(DecoderMemory, IsFreedByCloseAndByError) {
  for (const std::string& end : {Frame{.opcode = 8}.wire(), Frame{.opcode = 3}.wire()}) {
    Decoder decoder;
    std::vector<Observed> events;
    feed(decoder, Frame{.payload = repeated(5000, 'x'), .fin = false}.wire(), {}, events);
    std::vector<std::byte> memory = to_bytes(end);
    std::span<std::byte> input(memory);
    EXPECT_NE(decoder.next(input, {}).kind, Kind::need_more);
    EXPECT_EQ(decoder.stored_bytes(), 0U);
    EXPECT_TRUE(decoder.finished());
    EXPECT_FALSE(decoder.idle());
  }
}

TEST(DecoderMemory, IsNotIdleInsideAHeaderOrBetweenFragments) {
  Decoder decoder;
  std::vector<Observed> events;
  feed(decoder, text_frame("abc").substr(0, 1), {}, events);
  EXPECT_FALSE(decoder.idle());
  feed(decoder, text_frame("abc").substr(1), {}, events);
  EXPECT_TRUE(decoder.idle());
  feed(decoder, Frame{.fin = false}.wire(), {}, events);
  EXPECT_FALSE(decoder.idle());
}

}  // namespace
}  // namespace ringroom::codec::ws
