#include "base/address.h"

#include <gtest/gtest.h>

namespace ringroom::base {
namespace {

TEST(Address, TakesBothFamilies) {
  const auto ip4 = parse_address("127.0.0.1:8787");
  ASSERT_TRUE(ip4.value);
  EXPECT_EQ(ip4.value->family(), AF_INET);
  EXPECT_EQ(ip4.value->port(), 8787);
  const auto ip6 = parse_address("[::1]:0");
  ASSERT_TRUE(ip6.value);
  EXPECT_EQ(ip6.value->family(), AF_INET6);
  EXPECT_EQ(ip6.value->port(), 0);
}

TEST(Address, IsWrittenAsItIsRead) {
  for (const char* text : {"0.0.0.0:1", "192.168.1.20:65535", "[::]:80", "[2001:db8::7]:443"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address.value) << text;
    EXPECT_EQ(address.value->text(), text);
  }
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text : {"", ":", "8787", ":8787", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:-1", "127.0.0.1:80x", "localhost:80", "::1:80", "[::1]",
                           "[]:80", "[127.0.0.1]:80", "http://127.0.0.1:80", "256.0.0.1:80"}) {
    const auto address = parse_address(text);
    EXPECT_FALSE(address.value) << text;
    EXPECT_NE(address.error.find("such as 127.0.0.1:8787"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace ringroom::base
