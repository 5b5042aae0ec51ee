#include "server/origin.h"

#include <gtest/gtest.h>

namespace ringroom::server {
namespace {

TEST(Origin, IsWrittenAsBrowsersWriteIt) {
  struct Case {
    const char* given;
    const char* origin;
  };
  for (const Case& c :
       {Case{"https://game.example", "https://game.example"},
        Case{"HTTPS://Game.Example:443", "https://game.example"},
        Case{"http://game.example:80", "http://game.example"},
        Case{"http://game.example:443", "http://game.example:443"},
        Case{"http://127.0.0.1:3000", "http://127.0.0.1:3000"},
        Case{"http://[::1]:3000", "http://[::1]:3000"}, Case{"http://[::1]", "http://[::1]"},
        Case{"capacitor://localhost", "capacitor://localhost"}, Case{"null", "null"}}) {
    const base::Parsed<std::string> parsed = parse_origin(c.given);
    EXPECT_EQ(parsed.value, c.origin) << c.given << ": " << parsed.error;
  }
}

TEST(Origin, IsNoOtherThing) {
  for (const char* text :
       {"", "*", "game.example", "https://", "https://game.example/", "https://game.example/path",
        "https://game.example?x", "://x", "https://a b", "https://x:", "https://x:99999",
        "https://:443", "https://caf\xc3\xa9.example", "https://me@game.example", "NULL"}) {
    EXPECT_FALSE(parse_origin(text).value) << text;
    EXPECT_TRUE(parse_origin(text).error.starts_with("is not an origin")) << text;
  }
}

}  // namespace
}  // namespace ringroom::server
