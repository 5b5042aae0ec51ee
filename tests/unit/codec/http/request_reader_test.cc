#include "codec/http/request_reader.h"

#include "reading.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace ringroom::codec::http {
namespace {

using testing::read_cut_at;
using testing::read_in_pieces;
using testing::read_whole;
using testing::Reading;

/// Expects the same outcome whole, byte by byte, and cut in two at every point.
void expect_read(std::string_view bytes, std::string_view log, RequestReaderOptions options = {}) {
  ASSERT_EQ(read_whole(bytes, options), log);
  for (std::size_t piece = 1; piece <= 7; ++piece) {
    ASSERT_EQ(read_in_pieces(bytes, piece, options), log) << "pieces of " << piece;
  }
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    ASSERT_EQ(read_cut_at(bytes, cut, options), log) << "cut at " << cut;
  }
}

TEST(RequestReader, ReadsARequestWithoutABody) {
  expect_read("GET /a/b?c=d HTTP/1.1\r\nHost: example.org:8080\r\nX-One:  1 \t\r\nX-Empty:\r\n\r\n",
              "GET http://example.org:8080/a/b?c=d HTTP/1.1 keep-alive\n"
              "Host=example.org:8080\nX-One=1\nX-Empty=\nbody=\nrest=");
}

TEST(RequestReader, ReadsABodyOfKnownLength) {
  expect_read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello\r\n\r\nhi",
              "POST http://h/ HTTP/1.1 keep-alive\nHost=h\nContent-Length=11\n"
              "body=hello\r\n\r\nhi\nrest=");
}

TEST(RequestReader, ReadsAnEmptyBody) {
  expect_read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
              "POST http://h/ HTTP/1.1 keep-alive\nHost=h\nContent-Length=0\nbody=\nrest=");
}

TEST(RequestReader, ReadsChunksAndDropsExtensionsAndTrailers) {
  expect_read(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5\r\nhello\r\nA;name=value;flag\r\n\r\n0123\r\n\r\n\r\n"
      "0\r\nX-Trailer: dropped\r\nConnection: close\r\n\r\n"
      "GET /next HTTP/1.1\r\nHost: h\r\n\r\n",
      "POST http://h/ HTTP/1.1 keep-alive\nHost=h\nTransfer-Encoding=Chunked\n"
      "body=hello\r\n0123\r\n\r\n\n"
      "GET http://h/next HTTP/1.1 keep-alive\nHost=h\nbody=\nrest=");
}

// The parser library asserts that a last chunk does not grow from three bytes to four.
TEST(RequestReader, ReadsABodyOfNoChunks) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string log = "POST http://h/ HTTP/1.1 keep-alive\nHost=h\nTransfer-Encoding=chunked\n";
  expect_read(head + "0\r\n\r\n", log + "body=\nrest=");
  expect_read(head + "3\r\n0\r\n\r\n0\r\n\r\n", log + "body=0\r\n\nrest=");
}

TEST(RequestReader, ReadsPipelinedRequests) {
  expect_read(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
      "\r\nHEAD /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
      "GET http://h/1 HTTP/1.1 keep-alive\nHost=h\nbody=\n"
      "POST http://h/2 HTTP/1.1 keep-alive\nHost=h\nContent-Length=3\nbody=abc\n"
      "HEAD http://h/3 HTTP/1.1 close\nHost=h\nConnection=close\nbody=\nrest=");
}

TEST(RequestReader, LeavesWhatIsBehindAnUpgradeUnread) {
  expect_read(
      "GET /agents/echo/x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
      "\x81\x85GET \r\n\r\n",
      "GET http://h/agents/echo/x HTTP/1.1 keep-alive\nHost=h\nUpgrade=websocket\n"
      "Connection=Upgrade\nrest=\x81\x85GET \r\n\r\n");
}

TEST(RequestReader, KeepsHttp10AliveOnlyWhenAsked) {
  expect_read("GET / HTTP/1.0\r\n\r\n", "GET http://localhost/ HTTP/1.0 close\nbody=\nrest=");
  expect_read("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
              "GET http://localhost/ HTTP/1.0 keep-alive\nConnection=Keep-Alive\nbody=\nrest=");
}

TEST(RequestReader, TellsOfAnExpectationOnlyIfABodyFollows) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\n";
  expect_read(head + "Content-Length: 2\r\n\r\nok",
              "POST http://h/ HTTP/1.1 keep-alive expects-continue\nHost=h\n"
              "Expect=100-Continue\nContent-Length=2\nbody=ok\nrest=");
  expect_read(head + "\r\n",
              "POST http://h/ HTTP/1.1 keep-alive\nHost=h\nExpect=100-Continue\nbody=\nrest=");
  expect_read("POST / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n",
              "417 ERROR: The only expectation met is 100-continue.\n");
}

TEST(RequestReader, IgnoresOneEmptyLineBeforeARequest) {
  expect_read("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
              "GET http://h/ HTTP/1.1 keep-alive\nHost=h\nbody=\nrest=");
  expect_read("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
              "400 ERROR: The request line is malformed.\n");
  expect_read("\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", "400 ERROR: Lines must end with CR LF.\n");
}

TEST(RequestReader, TakesHeadsUpToTheLimit) {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  RequestReaderOptions options;
  options.head_bytes_max = start.size() + 10;
  Reading fits(options);
  fits.receive(start + "123456\r\n\r\n");
  EXPECT_EQ(fits.requests(), 1U);
  expect_read(start + "1234567\r\n\r\n", "431 ERROR: The request head is too large.\n", options);
}

TEST(RequestReader, RefusesTooManyHeaders) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (std::size_t i = 1; i < headers_max; ++i) {
    head += "A: b\r\n";
  }
  Reading fits;
  fits.receive(head + "\r\n");
  EXPECT_EQ(fits.requests(), 1U);
  EXPECT_EQ(read_whole(head + "A: b\r\n\r\n"), "431 ERROR: The request has too many headers.\n");
}

TEST(RequestReader, TakesBodiesUpToTheLimit) {
  RequestReaderOptions options;
  options.body_bytes_max = 8;
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string_view too_large = "413 ERROR: The request body is too large.\n";
  Reading fits(options);
  fits.receive(head + "Content-Length: 8\r\n\r\n12345678");
  fits.receive(chunked + "3\r\n123\r\n5\r\n45678\r\n0\r\n\r\n");
  EXPECT_EQ(fits.requests(), 2U);
  expect_read(head + "Content-Length: 9\r\n\r\n", too_large, options);
  expect_read(head + "Content-Length: 18446744073709551615\r\n\r\n", too_large, options);
  EXPECT_TRUE(read_whole(chunked + "9\r\n", options).ends_with(too_large));
  EXPECT_TRUE(read_whole(chunked + "8\r\n12345678\r\n1\r\n", options).ends_with(too_large));
  EXPECT_TRUE(read_whole(chunked + "FFFFFFFFFFFFFFFF\r\n", options).ends_with(too_large));
}

TEST(RequestReader, RefusesMalformedChunks) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string begin =
      "POST http://h/ HTTP/1.1 keep-alive\nHost=h\nTransfer-Encoding=chunked\n";
  for (const std::string_view body :
       {"\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n1\r\n\r\n", "5\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n", "5;a=\x01\r\nhello\r\n0\r\n\r\n",
        "5;a=\"b\"\r\nhello\r\n0\r\n\r\n", "5;a=\"\r\nhello\"\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello\r\n0\n\r\n\r\n",
        "10000000000000000\r\n", "0\r\nContent-Length: 5\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nbad name: x\r\n\r\n", "5\rX"}) {
    expect_read(head + std::string(body), begin + "400 ERROR: The request is malformed.\n");
  }
}

TEST(RequestReader, BoundsChunkLinesAndTrailers) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string refusal = "400 ERROR: A chunk line or the trailers are too long.\n";
  const std::string name(chunk_line_bytes_max, 'n');
  for (const std::string& line : {"5;" + name, "0\r\nX-" + name + ": ", "0000" + name}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, line.size() + head.size()}) {
      EXPECT_TRUE(read_in_pieces(head + line, piece).ends_with(refusal)) << piece;
    }
  }
  const std::string fits = "5;" + name.substr(0, chunk_line_bytes_max - 4) + "\r\nhello";
  const std::string shorter = "\r\n5;" + name.substr(0, chunk_line_bytes_max - 6) + "\r\nhello";
  const std::string end = "\r\n0\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, std::size_t{100000}}) {
    EXPECT_TRUE(read_in_pieces(head + fits + end, piece).ends_with("body=hello\nrest="));
    // Each line fits, but there is a bound for the extensions of all chunks, too.
    EXPECT_TRUE(read_in_pieces(head + fits + shorter + shorter + end, piece)
                    .ends_with("400 ERROR: The request is malformed.\n"));
  }
}

TEST(RequestReader, StaysRefused) {
  RequestReader reader;
  const std::string_view bytes = "BAD\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";
  std::span<const std::byte> input = std::as_bytes(std::span(bytes));
  EXPECT_EQ(reader.feed(input), ReadStatus::refused);
  EXPECT_EQ(reader.feed(input), ReadStatus::refused);
  EXPECT_EQ(reader.refusal().status, 400);
}

TEST(RequestReader, IsIdleBetweenRequests) {
  RequestReader reader;
  EXPECT_TRUE(reader.is_idle());
  const std::string_view bytes = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  std::span<const std::byte> input = std::as_bytes(std::span(bytes));
  auto first = input.first(3);
  EXPECT_EQ(reader.feed(first), ReadStatus::need_more);
  EXPECT_FALSE(reader.is_idle());
  input = input.subspan(3);
  EXPECT_EQ(reader.feed(input), ReadStatus::head);
  EXPECT_FALSE(reader.has_body());
  EXPECT_EQ(reader.feed(input), ReadStatus::complete);
  EXPECT_EQ(reader.take_request().method(), "GET");
  EXPECT_TRUE(reader.is_idle());
}

TEST(RequestReader, TakesARequestWhoseBodyIsNotWanted) {
  RequestReader reader;
  const std::string_view bytes = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
  std::span<const std::byte> input = std::as_bytes(std::span(bytes));
  EXPECT_EQ(reader.feed(input), ReadStatus::head);
  EXPECT_TRUE(reader.has_body());
  EXPECT_EQ(reader.take_request().header("content-length"), "5");
}

}  // namespace
}  // namespace ringroom::codec::http
