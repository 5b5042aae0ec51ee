#include "load/target.h"

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

TEST(Target, AQueryIsAddedWhereItIsMissing) {
  const auto path_of = [](const char* url) {
    Target target = *parse_target(url).value;
    target.add_query("protocol=binary");
    return target.path;
  };
  EXPECT_EQ(path_of("ws://127.0.0.1:1/x"), "/x?protocol=binary");
  EXPECT_EQ(path_of("ws://127.0.0.1:1/x?a=b"), "/x?a=b&protocol=binary");
  EXPECT_EQ(path_of("ws://127.0.0.1:1/x?protocol=text"), "/x?protocol=text");
  EXPECT_EQ(path_of("ws://127.0.0.1:1/x?a=b&protocol=text"), "/x?a=b&protocol=text");
}

TEST(Target, TakesAUrlApart) {
  const auto target = parse_target("ws://127.0.0.1:8787/agents/relay/{room}?i={i}");
  ASSERT_TRUE(target.value) << target.error;
  EXPECT_EQ(target.value->host, "127.0.0.1:8787");
  EXPECT_EQ(target.value->address.text(), "127.0.0.1:8787");
  EXPECT_EQ(target.value->path_of(3, 41), "/agents/relay/3?i=41");
}

TEST(Target, HasDefaults) {
  const auto bare = parse_target("ws://127.0.0.1");
  ASSERT_TRUE(bare.value) << bare.error;
  EXPECT_EQ(bare.value->address.port(), 80);
  EXPECT_EQ(bare.value->path, "/");
  const auto query = parse_target("ws://[::1]:9?a=b");
  ASSERT_TRUE(query.value) << query.error;
  EXPECT_EQ(query.value->path, "/?a=b");
  EXPECT_EQ(query.value->address.text(), "[::1]:9");
}

TEST(Target, MayBeBareTcp) {
  const auto target = parse_target("tcp://127.0.0.1:9/room/{room}");
  ASSERT_TRUE(target.value) << target.error;
  EXPECT_TRUE(target.value->is_bare);
  EXPECT_EQ(target.value->path_of(3, 41), "/room/3");
  EXPECT_EQ(target.value->address.text(), "127.0.0.1:9");
  EXPECT_FALSE(parse_target("ws://127.0.0.1:9/").value->is_bare);
}

TEST(Target, RefusesWhatItCannotReach) {
  for (const char* url :
       {"http://127.0.0.1/", "127.0.0.1", "ws://", "ws://:80/", "ws://127.0.0.1:x/",
        "ws://127.0.0.1:70000/", "ws://127.0.0.1/a b", "ws://127.0.0.1/#x"}) {
    EXPECT_FALSE(parse_target(url).value) << url;
  }
  EXPECT_NE(parse_target("wss://127.0.0.1/").error.find("TLS"), std::string::npos);
}

TEST(SourceRange, IsAnAddressARangeOrANetwork) {
  const auto one = parse_source("127.0.0.9");
  ASSERT_TRUE(one.value);
  EXPECT_EQ(one.value->count, 1U);
  const auto range = parse_source("127.0.0.2-127.0.1.1");
  ASSERT_TRUE(range.value);
  EXPECT_EQ(range.value->count, 256U);
  EXPECT_EQ(range.value->at(255).text(), "127.0.1.1:0");
  EXPECT_EQ(range.value->at(256).text(), "127.0.0.2:0");
  const auto network = parse_source("127.0.5.77/24");
  ASSERT_TRUE(network.value);
  EXPECT_EQ(network.value->count, 254U);
  EXPECT_EQ(network.value->at(0).text(), "127.0.5.1:0");
  EXPECT_EQ(network.value->at(253).text(), "127.0.5.254:0");
  const auto ip6 = parse_source("fd00::/126");
  ASSERT_TRUE(ip6.value);
  EXPECT_EQ(ip6.value->count, 4U);
  EXPECT_EQ(ip6.value->at(3).text(), "[fd00::3]:0");
}

TEST(SourceRange, SaysHowToWriteOne) {
  for (const char* text :
       {"", "nonsense", "127.0.0.9-127.0.0.2", "127.0.0.1-::1", "127.0.0.0/33", "127.0.0.0/x"}) {
    const auto range = parse_source(text);
    EXPECT_FALSE(range.value) << text;
    EXPECT_NE(range.error.find("127.0.0.0/24"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace ringroom::load
