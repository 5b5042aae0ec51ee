#include "codec/http/strict_head.h"

#include "reading.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::codec::http {
namespace {

using testing::read_cut_at;
using testing::read_in_pieces;
using testing::read_whole;

struct Case {
  std::string_view name;
  std::string bytes;
  std::string_view refusal;
};

constexpr std::string_view line_ends = "400 ERROR: Lines must end with CR LF.\n";
constexpr std::string_view controls = "400 ERROR: Control characters are not taken.\n";
constexpr std::string_view request_line = "400 ERROR: The request line is malformed.\n";
constexpr std::string_view method = "400 ERROR: The request method is malformed.\n";
constexpr std::string_view target = "400 ERROR: The request target is malformed.\n";
constexpr std::string_view version = "505 ERROR: Only HTTP/1.1 and HTTP/1.0 are spoken here.\n";
constexpr std::string_view header_name = "400 ERROR: A header name is malformed.\n";
constexpr std::string_view folded = "400 ERROR: Header lines must not be folded.\n";
constexpr std::string_view length = "400 ERROR: Content-Length must be one decimal number.\n";
constexpr std::string_view repeated_length = "400 ERROR: Content-Length must not be repeated.\n";
constexpr std::string_view coding = "400 ERROR: The only Transfer-Encoding taken is chunked.\n";
constexpr std::string_view both =
    "400 ERROR: Content-Length and Transfer-Encoding exclude each other.\n";
constexpr std::string_view host = "400 ERROR: The Host header is malformed.\n";

std::string with_headers(std::string_view headers) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

std::string with_line(std::string_view line) {
  return std::string(line) + "\r\nHost: h\r\n\r\n";
}

std::string with_host(std::string_view value) {
  return "GET / HTTP/1.1\r\nHost: " + std::string(value) + "\r\n\r\n";
}

void expect_refused(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(read_whole(c.bytes), c.refusal) << c.name;
    EXPECT_EQ(read_in_pieces(c.bytes, 1), c.refusal) << c.name;
    for (std::size_t cut = 1; cut < c.bytes.size(); ++cut) {
      EXPECT_EQ(read_cut_at(c.bytes, cut), c.refusal) << c.name << ", cut at " << cut;
    }
  }
}

TEST(StrictHead, RefusesSmugglingShapes) {
  expect_refused({
      {"length and coding", with_headers("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
       both},
      {"coding and length", with_headers("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
       both},
      {"conflicting lengths", with_headers("Content-Length: 3\r\nContent-Length: 4\r\n"),
       repeated_length},
      {"equal lengths", with_headers("Content-Length: 3\r\ncontent-length: 3\r\n"),
       repeated_length},
      {"listed lengths", with_headers("Content-Length: 3, 3\r\n"), length},
      {"listed lengths without a blank", with_headers("Content-Length: 3,3\r\n"), length},
      {"length with a sign", with_headers("Content-Length: +3\r\n"), length},
      {"negative length", with_headers("Content-Length: -3\r\n"), length},
      {"hexadecimal length", with_headers("Content-Length: 0x3\r\n"), length},
      {"two lengths in one", with_headers("Content-Length: 3 3\r\n"), length},
      {"no length", with_headers("Content-Length:\r\n"), length},
      {"fractional length", with_headers("Content-Length: 3.0\r\n"), length},
      {"too long a length", with_headers("Content-Length: 18446744073709551616\r\n"), length},
      {"gzip", with_headers("Transfer-Encoding: gzip\r\n"), coding},
      {"gzip, chunked", with_headers("Transfer-Encoding: gzip, chunked\r\n"), coding},
      {"chunked, gzip", with_headers("Transfer-Encoding: chunked, gzip\r\n"), coding},
      {"chunked twice", with_headers("Transfer-Encoding: chunked, chunked\r\n"), coding},
      {"chunked in two lines",
       with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), coding},
      {"xchunked", with_headers("Transfer-Encoding: xchunked\r\n"), coding},
      {"quoted", with_headers("Transfer-Encoding: \"chunked\"\r\n"), coding},
      {"identity", with_headers("Transfer-Encoding: identity\r\n"), coding},
      {"with parameter", with_headers("Transfer-Encoding: chunked;q=1\r\n"), coding},
      {"empty coding", with_headers("Transfer-Encoding:\r\n"), coding},
      {"coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400 ERROR: HTTP/1.0 has no Transfer-Encoding.\n"},
      {"blank before colon", with_headers("Content-Length : 3\r\n"), header_name},
      {"tab before colon", with_headers("Transfer-Encoding\t: chunked\r\n"), header_name},
      {"obs-fold by blank", with_headers("X: a\r\n b\r\n"), folded},
      {"obs-fold by tab", with_headers("X: a\r\n\tb\r\n"), folded},
      {"fold of the request line", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", folded},
  });
}

TEST(StrictHead, RefusesBareLineEndsAndControls) {
  expect_refused({
      {"bare LF", "GET / HTTP/1.1\nHost: h\n\n", line_ends},
      {"bare LF in a header", with_headers("X: a\nY: b\r\n"), line_ends},
      {"bare LF at the end", "GET / HTTP/1.1\r\nHost: h\r\n\n", line_ends},
      {"bare CR", with_headers("X: a\rY: b\r\n"), line_ends},
      {"two CR", "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", line_ends},
      {"leading LF", "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", line_ends},
      {"NUL in a value", with_headers(std::string_view("X: a\0b\r\n", 8)), controls},
      {"NUL in a name", with_headers(std::string_view("X\0: a\r\n", 7)), controls},
      {"NUL in the target", with_line(std::string_view("GET /\0 HTTP/1.1", 15)), controls},
      {"escape", with_headers("X: a\x1b[0m\r\n"), controls},
      {"delete", with_headers("X: long enough for a block\x7f\r\n"), controls},
      {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00", 7), controls},
  });
}

TEST(StrictHead, RefusesBadRequestLines) {
  expect_refused({
      {"empty", "\r\n\r\n\r\n", request_line},
      {"one word", with_line("GET"), request_line},
      {"HTTP/0.9", with_line("GET /"), request_line},
      {"no method", with_line(" / HTTP/1.1"), method},
      {"method with a slash", with_line("GE/T / HTTP/1.1"), method},
      {"method beyond ASCII", with_line("G\xc3\x8bT / HTTP/1.1"), method},
      {"two blanks", with_line("GET  / HTTP/1.1"),
       "400 ERROR: The request target has a blank in it.\n"},
      {"target with a blank", with_line("GET /a b HTTP/1.1"),
       "400 ERROR: The request target has a blank in it.\n"},
      {"target with a tab", with_line("GET /a\tb HTTP/1.1"),
       "400 ERROR: The request target has a blank in it.\n"},
      {"blank at the end", with_line("GET / HTTP/1.1 "), request_line},
      {"no target", with_line("GET HTTP/1.1"), request_line},
      {"relative target", with_line("GET a HTTP/1.1"), target},
      {"asterisk", with_line("GET * HTTP/1.1"), target},
      {"authority form", with_line("CONNECT h:80 HTTP/1.1"), target},
      {"other scheme", with_line("GET ftp://h/ HTTP/1.1"), target},
      {"user in the authority", with_line("GET http://u@h/ HTTP/1.1"), target},
      {"no authority", with_line("GET http:/// HTTP/1.1"), target},
      {"HTTP/2", with_line("PRI * HTTP/2.0"), version},
      {"HTTP/1.2", with_line("GET / HTTP/1.2"), version},
      {"lower case", with_line("GET / http/1.1"), request_line},
      {"HTTP/11", with_line("GET / HTTP/11"), request_line},
      {"HTTP/1.10", with_line("GET / HTTP/1.10"), request_line},
      {"empty name", with_headers(": a\r\n"), header_name},
      {"no colon", with_headers("abc\r\n"), header_name},
      {"name in parentheses", with_headers("(x): a\r\n"), header_name},
      {"name beyond ASCII", with_headers("\xc3\xa9: a\r\n"), header_name},
  });
}

TEST(StrictHead, RefusesBadHosts) {
  expect_refused({
      {"missing", "GET / HTTP/1.1\r\n\r\n", "400 ERROR: The Host header is missing.\n"},
      {"missing beside an absolute target", "GET http://h/ HTTP/1.1\r\n\r\n",
       "400 ERROR: The Host header is missing.\n"},
      {"double", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
       "400 ERROR: Host must not be repeated.\n"},
      {"double in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
       "400 ERROR: Host must not be repeated.\n"},
      {"empty", with_host(""), host},
      {"path", with_host("a/b"), host},
      {"user", with_host("u@a"), host},
      {"list", with_host("a b"), host},
      {"port alone", with_host(":80"), host},
      {"port of letters", with_host("a:b"), host},
      {"long port", with_host("a:123456"), host},
      {"two ports", with_host("a:1:2"), host},
      {"open bracket", with_host("[::1"), host},
      {"empty brackets", with_host("[]"), host},
      {"letters behind brackets", with_host("[::1]x"), host},
      {"beyond ASCII", with_host("caf\xc3\xa9"), host},
      {"query", with_host("a?b"), host},
  });
}

TEST(StrictHead, TakesWhatIsUnusualButClear) {
  for (const std::string& bytes :
       {with_host("example.org"), with_host("EXAMPLE.org:8080"), with_host("[::1]:80"),
        with_host("127.0.0.1"), with_host("a_b-c.d"), with_host("a:"),
        with_line("OPTIONS * HTTP/1.1"), with_line("M-SEARCH / HTTP/1.1"),
        with_line("GET /\xc3\xa9?\"<>{}|\\^` HTTP/1.1"), with_headers("X: \xff\t!\r\n"),
        with_headers("X:\r\n"), with_headers("Transfer_Encoding: gzip\r\n"),
        with_headers("Content-Length: 000\r\n")}) {
    EXPECT_TRUE(read_whole(bytes).ends_with("body=\nrest=")) << bytes << read_whole(bytes);
  }
}

}  // namespace
}  // namespace ringroom::codec::http
