// Text is refused as soon as a byte has arrived after which it can't be UTF-8 any more.
#include "decode_test_support.h"

namespace ringroom::codec::ws {
namespace {

using namespace testing;

/// How many payload bytes a fresh decoder takes, one at a time, until it refuses the unfinished
/// text; -1 if it takes all of them.
int bytes_until_refused(const std::string& wire, std::size_t header_bytes) {
  Decoder decoder;
  std::vector<Observed> events;
  for (std::size_t i = 0; i < wire.size(); ++i) {
    feed(decoder, wire.substr(i, 1), {}, events);
    if (!events.empty()) {
      EXPECT_EQ(events[0].code, 1007);
      return static_cast<int>(i + 1 - header_bytes);
    }
  }
  return -1;
}

struct Sequence {
  std::string bytes;
  int refused_at;  // the first byte, counted from 1, after which nothing can help; -1 for none
};

std::vector<Sequence> sequences() {
  return {
      {"plain", -1},
      {bytes({0xc2, 0x80}), -1},
      {bytes({0xdf, 0xbf}), -1},
      {bytes({0xe0, 0xa0, 0x80}), -1},
      {bytes({0xed, 0x9f, 0xbf}), -1},
      {bytes({0xee, 0x80, 0x80}), -1},
      {bytes({0xef, 0xbf, 0xbf}), -1},
      {bytes({0xf0, 0x90, 0x80, 0x80}), -1},
      {bytes({0xf4, 0x8f, 0xbf, 0xbf}), -1},
      {bytes({0xf0, 0x9f, 0x98}), -1},
      {bytes({0x80}), 1},
      {bytes({0xbf}), 1},
      {bytes({0xc0}), 1},
      {bytes({0xc1}), 1},
      {bytes({0xf5}), 1},
      {bytes({0xfe}), 1},
      {bytes({0xff}), 1},
      {bytes({0xc2, 0x00}), 2},
      {bytes({0xc2, 0xc2}), 2},
      {bytes({0xe0, 0x80}), 2},
      {bytes({0xe0, 0x9f}), 2},
      {bytes({0xed, 0xa0}), 2},
      {bytes({0xed, 0xbf}), 2},
      {bytes({0xf0, 0x80}), 2},
      {bytes({0xf0, 0x8f}), 2},
      {bytes({0xf4, 0x90}), 2},
      {bytes({0xf4, 0xbf}), 2},
      {bytes({0xe2, 'a'}), 2},
      {bytes({0xe2, 0x82, 'a'}), 3},
      {bytes({0xe2, 0x82, 0xe2}), 3},
      {bytes({0xf0, 0x9f, 0x98, 'a'}), 4},
      {bytes({0xf0, 0x9f, 0xf0}), 3},
      {bytes({0xc2, 0x80, 0x80}), 3},
      {bytes({0xe2, 0x82, 0xac, 0xac}), 4},
      {bytes({0xf0, 0x9f, 0x98, 0x80, 0x80}), 5},
  };
}

TEST(DecoderText, RefusesAtTheFirstByteThatSpoilsAnUnfinishedFrame) {
  for (const Sequence& sequence : sequences()) {
    for (const std::string& before : {std::string(), std::string("abc"), repeated(70, 'x')}) {
      const std::string payload = before + sequence.bytes;
      const std::string wire = Frame{.payload = payload, .length = 1000}.wire();
      const int expected =
          sequence.refused_at < 0 ? -1 : sequence.refused_at + static_cast<int>(before.size());
      EXPECT_EQ(bytes_until_refused(wire, 8), expected) << ::testing::PrintToString(payload);
      // And all at once, inside the unfinished frame.
      EXPECT_EQ(error_code(wire), expected < 0 ? 0 : 1007) << ::testing::PrintToString(payload);
    }
  }
}

TEST(DecoderText, RefusesAcrossFragmentsBeforeTheMessageEnds) {
  for (const Sequence& sequence : sequences()) {
    std::string wire;
    for (std::size_t i = 0; i < sequence.bytes.size(); ++i) {
      const Frame frame{
          .opcode = i == 0 ? 1 : 0, .payload = sequence.bytes.substr(i, 1), .fin = false};
      wire += frame.wire();
      wire += Frame{.opcode = 9, .payload = "between"}.wire();
    }
    EXPECT_EQ(error_code(wire), sequence.refused_at < 0 ? 0 : 1007);
  }
}

TEST(DecoderText, TakesCharactersCutByFramesAndReads) {
  const std::string payload = "\xce\xba\xe1\xbd\xb9\xcf\x83\xf0\x9f\x98\x80\xce\xb5";
  for (std::size_t cut = 0; cut <= payload.size(); ++cut) {
    const std::string wire = Frame{.payload = payload.substr(0, cut), .fin = false}.wire() +
                             Frame{.opcode = 9, .payload = "\xff"}.wire() +
                             Frame{.opcode = 0, .payload = payload.substr(cut)}.wire();
    EXPECT_EQ(decode(wire), (std::vector<Observed>{ping("\xff"), text(payload)}));
  }
}

TEST(DecoderText, RefusesAtAnyPlaceOfALongText) {
  for (const std::size_t at :
       std::initializer_list<std::size_t>{0, 7, 8, 63, 64, 127, 128, 129, 500, 998, 999}) {
    std::string payload = repeated(1000, 'x');
    payload[at] = '\xff';
    EXPECT_EQ(error_code(text_frame(payload)), 1007) << at;
  }
}

TEST(DecoderText, LeavesBinaryAlone) {
  const std::string payload = "\xff\xfe\xc0\x80";
  EXPECT_EQ(decode(Frame{.opcode = 2, .payload = payload}.wire()),
            std::vector<Observed>{binary(payload)});
}

}  // namespace
}  // namespace ringroom::codec::ws
