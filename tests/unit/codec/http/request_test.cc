#include "ringroom/request.h"

#include "codec/http/url.h"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace ringroom {
namespace {

using namespace std::string_view_literals;

std::string url_of(std::string_view target) {
  return std::string(Request("GET", target, {{"Host", "h"}}).url());
}

TEST(Request, NormalisesTheUrlAsBrowsersDo) {
  struct Case {
    std::string_view target;
    std::string_view url;
  };
  for (const Case& c : {Case{"/", "http://h/"},
                        Case{"//", "http://h//"},
                        Case{"/a/b", "http://h/a/b"},
                        Case{"/a?", "http://h/a?"},
                        Case{"/a?b#c", "http://h/a?b"},
                        Case{"/a#b?c", "http://h/a"},
                        Case{"/./a", "http://h/a"},
                        Case{"/a/.", "http://h/a/"},
                        Case{"/a/./b", "http://h/a/b"},
                        Case{"/a/../b", "http://h/b"},
                        Case{"/a/..", "http://h/"},
                        Case{"/..", "http://h/"},
                        Case{"/../../a", "http://h/a"},
                        Case{"/a//../b", "http://h/a/b"},
                        Case{"/a/b/../../../c/", "http://h/c/"},
                        Case{"/a/%2e%2E/b", "http://h/b"},
                        Case{"/a/.%2e/b", "http://h/b"},
                        Case{"/a/%2E/b", "http://h/a/b"},
                        Case{"/a/...", "http://h/a/..."},
                        Case{"/a/..b", "http://h/a/..b"},
                        Case{"/a/%2e%2e%2e", "http://h/a/%2e%2e%2e"},
                        Case{"/a?b=../c", "http://h/a?b=../c"},
                        Case{"/a\\..\\b", "http://h/b"},
                        Case{"/a?b\\c", "http://h/a?b\\c"},
                        Case{"/caf\xc3\xa9?\xc3\xa9", "http://h/caf%C3%A9?%C3%A9"},
                        Case{"/\"<>^`{}|'", "http://h/%22%3C%3E%5E%60%7B%7D|'"},
                        Case{"/?\"<>^`{}|'", "http://h/?%22%3C%3E^`{}|%27"},
                        Case{"/%zz%", "http://h/%zz%"},
                        Case{"http://Other:80/a", "http://other/a"},
                        Case{"http://other", "http://other/"},
                        Case{"HTTP://other:8080?q", "http://other:8080/?q"}}) {
    EXPECT_EQ(url_of(c.target), c.url) << c.target;
  }
  EXPECT_EQ(Request("OPTIONS", "*").url(), "http://localhost/");
  EXPECT_EQ(Request("GET", "/", {{"Host", "EXAMPLE.org:80"}}).url(), "http://example.org/");
}

TEST(Request, TellsItsPieces) {
  const Request request("GET", "/a/../b?c=d&e", {{"Host", "h"}, {"X-One", " 1 "}}, "body");
  EXPECT_EQ(request.method(), "GET");
  EXPECT_EQ(request.target(), "/a/../b?c=d&e");
  EXPECT_EQ(request.path(), "/b");
  EXPECT_EQ(request.query_string(), "c=d&e");
  EXPECT_EQ(request.header("HOST"), "h");
  EXPECT_EQ(request.header("x-one"), "1");
  EXPECT_EQ(request.header("x-two"), std::nullopt);
  EXPECT_EQ(request.body(), "body");
  EXPECT_EQ(request.http_version(), "1.1");
  EXPECT_EQ(request.peer_address(), "");
  EXPECT_FALSE(request.is_upgrade());
}

TEST(Request, KeepsItsPiecesWhenMoved) {
  Request source("GET", "/a?b", {{"Host", "h"}});
  source.set_peer_address("127.0.0.1:5");
  const Request moved = std::move(source);
  EXPECT_EQ(moved.method(), "GET");
  EXPECT_EQ(moved.url(), "http://h/a?b");
  EXPECT_EQ(moved.header("host"), "h");
  EXPECT_EQ(moved.peer_address(), "127.0.0.1:5");
}

TEST(Request, DecodesQueryParameters) {
  const Request request(
      "GET", "/?a=1&b=x+y%20z&&c&d=%C3%A9&e=%ff!&f=%4&g=%zz&a=2&h%5B%5D=list&=empty&i=a=b&j=%");
  EXPECT_EQ(request.query("a"), "1");
  EXPECT_EQ(request.query("b"), "x y z");
  EXPECT_EQ(request.query("c"), "");
  EXPECT_EQ(request.query("d"), "\xc3\xa9");
  EXPECT_EQ(request.query("e"), "\xef\xbf\xbd!");
  EXPECT_EQ(request.query("f"), "%4");
  EXPECT_EQ(request.query("g"), "%zz");
  EXPECT_EQ(request.query("h[]"), "list");
  EXPECT_EQ(request.query(""), "empty");
  EXPECT_EQ(request.query("i"), "a=b");
  EXPECT_EQ(request.query("j"), "%");
  EXPECT_EQ(request.query("k"), std::nullopt);
  EXPECT_EQ(request.query("h%5B%5D"), std::nullopt);
}

TEST(Request, ReplacesInvalidUtf8AsBrowsersDo) {
  struct Case {
    std::string_view encoded;
    std::string_view decoded;
  };
  constexpr auto cases = std::to_array<Case>({
      {"%E2%82", "\xef\xbf\xbd"},
      {"%E2%82x", "\xef\xbf\xbdx"},
      {"%C0%80", "\xef\xbf\xbd\xef\xbf\xbd"},
      {"%ED%A0%80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"%F0%9F%98%80", "\xf0\x9f\x98\x80"},
      {"\"%80\\", "\"\xef\xbf\xbd\\"},
  });
  for (const Case& c : cases) {
    EXPECT_EQ(codec::http::decode_form_text(c.encoded), c.decoded) << c.encoded;
  }
}

TEST(Request, FindsCookies) {
  const Request request("GET", "/",
                        {{"Cookie", "a=1; b=\"two words\"; c=x=y;d = 4 ; e=; flag; a=second"}});
  EXPECT_EQ(request.cookie("a"), "1");
  EXPECT_EQ(request.cookie("b"), "two words");
  EXPECT_EQ(request.cookie("c"), "x=y");
  EXPECT_EQ(request.cookie("d"), "4");
  EXPECT_EQ(request.cookie("e"), "");
  EXPECT_EQ(request.cookie("flag"), std::nullopt);
  EXPECT_EQ(request.cookie("A"), std::nullopt);
  EXPECT_EQ(Request("GET", "/").cookie("a"), std::nullopt);
}

TEST(Request, IteratesItsHeaders) {
  Request request("GET", "/", {{"Host", "h"}, {"A", "1"}});
  request.set_header("a", "2");
  std::string text;
  for (const HeaderView header : request.headers()) {
    text += std::string(header.name) + "=" + std::string(header.value) + ";";
  }
  EXPECT_EQ(text, "Host=h;a=2;");
  EXPECT_EQ(request.headers().size(), 2U);
}

TEST(Request, ThrowsForWhatHttpCannotCarry) {
  EXPECT_THROW(Request("G T", "/"), std::invalid_argument);
  EXPECT_THROW(Request("GET", "relative"), std::invalid_argument);
  EXPECT_THROW(Request("GET", "/\r\nX: y"), std::invalid_argument);
  EXPECT_THROW(Request("GET", "/", {{"Host", "a b"}}), std::invalid_argument);
  EXPECT_THROW(Request("GET", "/", {{"X", "a\r\nY: b"}}), std::invalid_argument);
  Request request("GET", "/");
  EXPECT_THROW(request.set_header("X:", "a"), std::invalid_argument);
  EXPECT_THROW(request.set_header("", "a"), std::invalid_argument);
  EXPECT_THROW(request.set_header("X", "a\0b"sv), std::invalid_argument);
}

}  // namespace
}  // namespace ringroom
