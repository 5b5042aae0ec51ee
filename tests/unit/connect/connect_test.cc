#include "connect/hex.h"
#include "connect/options.h"

#include <array>

#include <gtest/gtest.h>

namespace ringroom::connect {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(Hex, DumpsLinesOfSixteen) {
  EXPECT_EQ(hex_dump(bytes_of("0123456789abcdef\x01")),
            "00000000: 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
            "00000010: 01                                               .\n");
  EXPECT_EQ(hex_dump({}), "");
}

TEST(Hex, ReadsWhatItWrites) {
  std::array<std::byte, 256> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i);
  const auto bytes = read_hex(hex_line(all));
  ASSERT_TRUE(bytes.has_value());
  EXPECT_TRUE(std::equal(all.begin(), all.end(), bytes->begin(), bytes->end()));
}

TEST(Hex, ReadsPairsOnly) {
  EXPECT_EQ(read_hex("CAfe 00")->size(), 3U);
  EXPECT_EQ(read_hex("")->size(), 0U);
  for (const std::string_view text : {"c", "cafe1", "c afe", "0x10", "+1", "zz", "-1"}) {
    EXPECT_FALSE(read_hex(text).has_value()) << text;
  }
}

TEST(ConnectUrl, HasHostPortAndTarget) {
  Options options;
  EXPECT_EQ(read_url("ws://room.test:8787/agents/echo/x?_pk=a%20b", options), std::nullopt);
  EXPECT_EQ(options.host, "room.test");
  EXPECT_EQ(options.port, 8787);
  EXPECT_EQ(options.target, "/agents/echo/x?_pk=a%20b");
  EXPECT_EQ(read_url("ws://room.test", options), std::nullopt);
  EXPECT_EQ(options.port, 80);
  EXPECT_EQ(options.target, "/");
}

TEST(ConnectUrl, IsOfAWebSocket) {
  Options options;
  for (const char* url :
       {"http://room.test/", "wss://room.test/", "room.test", "ws://", "", "ws:/x"}) {
    EXPECT_TRUE(read_url(url, options).has_value()) << url;
  }
}

}  // namespace
}  // namespace ringroom::connect
