#include "codec/ws/encoder.h"

#include "decode_test_support.h"

#include <array>
#include <random>

namespace ringroom::codec::ws {
namespace {

using namespace testing;

std::string header(Opcode opcode, std::size_t size, bool fin = true, bool rsv1 = false) {
  std::array<std::byte, header_bytes_max> out{};
  const std::size_t written = encode_header(out.data(), opcode, size, fin, rsv1);
  EXPECT_EQ(written, header_bytes(size));
  return copy(std::span(out).first(written));
}

TEST(Encoder, WritesTheShortestLength) {
  EXPECT_EQ(header(Opcode::text, 0), bytes({0x81, 0}));
  EXPECT_EQ(header(Opcode::text, 1), bytes({0x81, 1}));
  EXPECT_EQ(header(Opcode::binary, 125), bytes({0x82, 125}));
  EXPECT_EQ(header(Opcode::binary, 126), bytes({0x82, 126, 0, 126}));
  EXPECT_EQ(header(Opcode::binary, 127), bytes({0x82, 126, 0, 127}));
  EXPECT_EQ(header(Opcode::binary, 256), bytes({0x82, 126, 1, 0}));
  EXPECT_EQ(header(Opcode::binary, 65535), bytes({0x82, 126, 0xff, 0xff}));
  EXPECT_EQ(header(Opcode::binary, 65536), bytes({0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(header(Opcode::binary, 0x0102030405060708), bytes({0x82, 127, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Encoder, SetsOpcodeFinAndRsv1) {
  EXPECT_EQ(header(Opcode::ping, 3), bytes({0x89, 3}));
  EXPECT_EQ(header(Opcode::text, 3, false), bytes({0x01, 3}));
  EXPECT_EQ(header(Opcode::continuation, 3, true), bytes({0x80, 3}));
  EXPECT_EQ(header(Opcode::text, 3, true, true), bytes({0xc1, 3}));
}

TEST(Encoder, WritesMaskedHeadersWithTheKeyBehindTheLength) {
  const MaskKey key = load_mask_key(to_bytes("\x37\xfa\x21\x3d").data());
  for (const std::size_t size : std::initializer_list<std::size_t>{0, 5, 125, 126, 65535, 65536}) {
    std::array<std::byte, header_bytes_max> out{};
    const std::size_t written = encode_masked_header(out.data(), Opcode::text, size, key);
    EXPECT_EQ(written, masked_header_bytes(size));
    const std::string expected = Frame{.length = size}.wire();
    EXPECT_EQ(copy(std::span(out).first(written)), expected);
  }
}

struct Sent {
  std::string wire;
  std::vector<Observed> expected;
};

/// Messages of random kinds, sizes and fragmentation, with pings between, as either side sends
/// them.
Sent random_messages(std::mt19937& random, Role sender) {
  const auto below = [&](std::size_t n) { return random() % n; };
  Sent sent;
  const auto put = [&](Opcode opcode, std::string payload, bool fin) {
    std::array<std::byte, header_bytes_max> out{};
    std::vector<std::byte> body = to_bytes(payload);
    const MaskKey key = static_cast<MaskKey>(random());
    std::size_t size = 0;
    if (sender == Role::client) {
      size = encode_masked_header(out.data(), opcode, body.size(), key, fin);
      unmask(body.data(), body.size(), key);
    } else {
      size = encode_header(out.data(), opcode, body.size(), fin);
    }
    sent.wire += copy(std::span(out).first(size)) + copy(body);
  };
  for (std::size_t i = 1 + below(4); i > 0; --i) {
    const bool is_text = below(2) == 0;
    std::string payload;
    for (std::size_t left = below(5) == 0 ? below(70000) : below(200); left > 0; --left) {
      payload += is_text ? std::string_view(below(9) == 0 ? "\xe2\x82\xac" : "a")
                         : std::string_view(below(2) == 0 ? "\xff" : "b");
    }
    Opcode opcode = is_text ? Opcode::text : Opcode::binary;
    std::size_t at = 0;
    while (below(3) == 0) {
      const std::size_t cut = below(payload.size() - at + 1);
      put(std::exchange(opcode, Opcode::continuation), payload.substr(at, cut), false);
      at += cut;
      put(Opcode::ping, "ping", true);
      sent.expected.push_back(ping("ping"));
    }
    put(opcode, payload.substr(at), true);
    sent.expected.push_back(message(is_text ? Opcode::text : Opcode::binary, payload));
  }
  return sent;
}

TEST(Encoder, RoundTripsThroughTheDecoderCutAnywhere) {
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    const Role receiver = round % 2 == 0 ? Role::server : Role::client;
    const Sent sent =
        random_messages(random, receiver == Role::server ? Role::client : Role::server);
    std::vector<std::size_t> cuts;
    for (std::size_t at = 1 + random() % 100; at < sent.wire.size();
         at += 1 + random() % (random() % 2 == 0 ? 10 : 20000)) {
      cuts.push_back(at);
    }
    ASSERT_EQ(decode_cut(sent.wire, {.role = receiver}, cuts), sent.expected)
        << "seed " << seed << " round " << round;
  }
}

}  // namespace
}  // namespace ringroom::codec::ws
