#include "codec/ws/deflate.h"

#include "wire.h"

#include <random>

#include <gtest/gtest.h>

namespace ringroom::codec::ws {
namespace {

using namespace testing;

constexpr std::size_t plenty = 1U << 20U;

struct Inflated {
  InflateStatus status;
  std::string text;
};

Inflated inflated(std::string_view payload, std::size_t bytes_max = plenty) {
  Inflater inflater;
  std::vector<std::byte> out;
  const InflateStatus status = inflater.inflate(to_bytes(payload), out, bytes_max);
  EXPECT_LE(out.size(), bytes_max);
  return {status, copy(out)};
}

std::string deflated(std::string_view text, int window_bits = window_bits_max) {
  Deflater deflater;
  std::vector<std::byte> out;
  deflater.deflate(to_bytes(text), out, window_bits);
  return copy(out);
}

void expect_inflates(std::string_view payload, std::string_view text) {
  const Inflated result = inflated(payload);
  EXPECT_EQ(result.status, InflateStatus::ok);
  EXPECT_EQ(result.text, text);
}

TEST(Inflater, ReadsTheExamplesOfTheRfc) {
  // RFC 7692 §7.2.3.1: one block.
  expect_inflates(bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}), "Hello");
  // §7.2.3.3: a stored block.
  expect_inflates(bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00}),
                  "Hello");
  // §7.2.3.4: a block with BFINAL set.
  expect_inflates(bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}), "Hello");
  // §7.2.3.5: two blocks with a flush between them.
  expect_inflates(
      bytes({0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00}),
      "Hello");
  // §7.2.3.6: an empty message.
  expect_inflates(bytes({0x00}), "");
}

TEST(Inflater, NeedsTheContextThatWeRefused) {
  // §7.2.3.2: the second "Hello" refers to the first, which no_context_takeover forbids.
  EXPECT_EQ(inflated(bytes({0xf2, 0x00, 0x11, 0x00, 0x00})).status, InflateStatus::bad_data);
}

TEST(Inflater, TakesAnEmptyPayloadForAnEmptyMessage) {
  expect_inflates("", "");
}

TEST(Inflater, GoesOnAfterAFinalBlock) {
  const std::string final_hello = bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00});
  expect_inflates(final_hello, "Hello");
  expect_inflates(final_hello + final_hello + bytes({0x00}), "HelloHello");
  expect_inflates(final_hello + bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}), "HelloHello");
}

TEST(Inflater, RefusesWhatIsNotWholeBlocks) {
  const std::string good = deflated("A text that is long enough to be cut at many places.");
  ASSERT_EQ(inflated(good).status, InflateStatus::ok);
  for (std::size_t size = 1; size < good.size(); ++size) {
    EXPECT_EQ(inflated(good.substr(0, size)).status, InflateStatus::bad_data) << size;
  }
  EXPECT_EQ(inflated(bytes({0xff, 0xff, 0xff})).status, InflateStatus::bad_data);
  EXPECT_EQ(inflated(bytes({0x06})).status, InflateStatus::bad_data);
}

TEST(Inflater, MeetsTheLimitExactly) {
  for (const std::size_t size :
       std::initializer_list<std::size_t>{1, 511, 512, 513, 1000, 1024, 100000}) {
    const std::string payload = deflated(repeated(size, 'x'));
    EXPECT_EQ(inflated(payload, size).status, InflateStatus::ok) << size;
    EXPECT_EQ(inflated(payload, size).text.size(), size);
    EXPECT_EQ(inflated(payload, size - 1).status, InflateStatus::too_big) << size;
  }
  EXPECT_EQ(inflated(bytes({0x00}), 0).status, InflateStatus::ok);
}

TEST(Inflater, StopsABombAtTheLimit) {
  const std::string bomb = deflated(repeated(50U << 20U, '\0'));
  ASSERT_LT(bomb.size(), 1U << 20U);
  Inflater inflater;
  std::vector<std::byte> out;
  EXPECT_EQ(inflater.inflate(to_bytes(bomb), out, 65536), InflateStatus::too_big);
  EXPECT_LE(out.capacity(), 65536U);
}

TEST(Inflater, IsAsGoodAsNewAfterEveryFailure) {
  Inflater inflater;
  std::vector<std::byte> out;
  const std::vector<std::byte> good = to_bytes(deflated("Hello"));
  const std::vector<std::byte> big = to_bytes(deflated(repeated(5000, 'x')));
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(inflater.inflate(to_bytes("\xff\xff"), out, plenty), InflateStatus::bad_data);
    EXPECT_EQ(inflater.inflate(good, out, plenty), InflateStatus::ok);
    EXPECT_EQ(copy(out), "Hello");
    EXPECT_EQ(inflater.inflate(big, out, 100), InflateStatus::too_big);
    EXPECT_EQ(inflater.inflate(good, out, plenty), InflateStatus::ok);
    EXPECT_EQ(copy(out), "Hello");
  }
}

TEST(Inflater, NamesItsCloseCodes) {
  EXPECT_EQ(close_code_of(InflateStatus::too_big), 1009);
  EXPECT_EQ(close_code_of(InflateStatus::bad_data), 1007);
}

TEST(Deflater, WritesTheEmptyMessageOfTheRfc) {
  EXPECT_EQ(deflated(""), bytes({0x00}));
}

TEST(Deflater, KeepsNoContext) {
  Deflater deflater;
  std::vector<std::byte> first;
  std::vector<std::byte> second;
  const std::vector<std::byte> message = to_bytes("the same words, the same bytes");
  deflater.deflate(message, first);
  deflater.deflate(message, second);
  EXPECT_EQ(first, second);
}

TEST(Deflater, HonoursItsWindow) {
  // A repetition 20,000 bytes back can be used by the largest window only.
  std::mt19937 random(7);
  std::string noise;
  for (int i = 0; i < 20000; ++i) {
    noise.push_back(static_cast<char>(random()));
  }
  EXPECT_LT(deflated(noise + noise, 15).size(), 25000U);
  EXPECT_GT(deflated(noise + noise, 9).size(), 39000U);
}

TEST(Deflater, RoundTripsAnythingInEveryWindow) {
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  Inflater inflater;
  Deflater deflater;
  std::vector<std::byte> wire;
  std::vector<std::byte> out;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::byte> message(random() % (round % 10 == 0 ? 300000 : 500));
    const unsigned variety = 1 + random() % 256;
    for (std::byte& byte : message) {
      byte = static_cast<std::byte>(random() % variety);
    }
    deflater.deflate(message, wire, 9 + static_cast<int>(random() % 7));
    ASSERT_EQ(inflater.inflate(wire, out, message.size()), InflateStatus::ok)
        << "seed " << seed << " round " << round;
    ASSERT_EQ(out, message) << "seed " << seed << " round " << round;
  }
}

}  // namespace
}  // namespace ringroom::codec::ws
