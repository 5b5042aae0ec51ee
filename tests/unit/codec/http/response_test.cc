#include "ringroom/response.h"

#include "codec/http/cors.h"
#include "codec/http/response_writer.h"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace ringroom {
namespace {

using namespace std::string_view_literals;
using codec::http::ResponseContext;

std::string write(const Response& response, const ResponseContext& context = {}) {
  std::string out;
  codec::http::write_response(out, response, context);
  return out;
}

TEST(Response, HasFactoriesForTheUsualTypes) {
  EXPECT_EQ(Response::text("hi").header("content-type"), "text/plain;charset=UTF-8");
  EXPECT_EQ(Response::html(201, "<p>").header("content-type"), "text/html;charset=UTF-8");
  EXPECT_EQ(Response::json({{"a", 1}}).body(), R"({"a":1})");
  EXPECT_EQ(Response::json(404, "x").header("content-type"), "application/json");
  EXPECT_EQ(Response::json("\xff").body(), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(Response::bytes(200, "image/png", "\x89").header("Content-Type"), "image/png");
  EXPECT_EQ(Response::empty(204).header("content-type"), std::nullopt);
  const Response redirect = Response::redirect("/elsewhere", 307);
  EXPECT_EQ(redirect.status(), 307);
  EXPECT_EQ(redirect.header("location"), "/elsewhere");
}

TEST(Response, RefusesStatusesOutsideOfTheFetchStandard) {
  for (const int status : {-1, 0, 100, 101, 199, 600}) {
    EXPECT_THROW(Response{status}, std::invalid_argument) << status;
  }
  EXPECT_THROW(Response::redirect("/", 200), std::invalid_argument);
}

TEST(Response, RefusesHeaderInjection) {
  Response response;
  for (const std::string_view value : {"a\r\nX: y"sv, "a\n"sv, "a\r"sv, "a\0b"sv, "\x7f"sv}) {
    EXPECT_THROW(response.set_header("X", value), std::invalid_argument);
    EXPECT_THROW(response.append_header("X", value), std::invalid_argument);
    EXPECT_THROW(Response::redirect(value), std::invalid_argument);
  }
  for (const std::string_view name : {"", "X:", "X Y", "X\r\nY", "\xc3\xa9"}) {
    EXPECT_THROW(response.set_header(name, "a"), std::invalid_argument);
  }
  EXPECT_TRUE(response.headers().empty());
}

TEST(Response, SetsAppendsAndRemovesHeaders) {
  Response response;
  response.set_header("X-One", " 1 ").append_header("x-one", "2").set_header("Y", "tab\tinside");
  EXPECT_EQ(response.headers().size(), 3U);
  EXPECT_EQ(response.header("X-ONE"), "1");
  response.set_header("X-one", *response.header("x-one"));
  EXPECT_EQ(response.headers().size(), 2U);
  EXPECT_EQ(response.header("x-one"), "1");
  response.remove_header("x-ONE");
  EXPECT_EQ(response.header("x-one"), std::nullopt);
}

TEST(ResponseWriter, WritesHeadAndBody) {
  EXPECT_EQ(
      write(Response::text(404, "Not implemented"), {.date = "Sun, 06 Nov 1994 08:49:37 GMT"}),
      "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain;charset=UTF-8\r\n"
      "Content-Length: 15\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nNot implemented");
  EXPECT_EQ(write(Response(200, "plain")),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain;charset=UTF-8\r\n"
            "Content-Length: 5\r\n\r\nplain");
  EXPECT_EQ(write(Response::empty(200)), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(write(Response::empty(555)), "HTTP/1.1 555 \r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseWriter, WritesOnlyTheHeadForHead) {
  EXPECT_EQ(write(Response::text("hello"), {.head_request = true}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain;charset=UTF-8\r\n"
            "Content-Length: 5\r\n\r\n");
}

TEST(ResponseWriter, WritesNoBodyWith204And304) {
  EXPECT_EQ(write(Response(204, "x")), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(write(Response(304, "x")), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(ResponseWriter, TellsWhetherTheConnectionStays) {
  const Response empty = Response::empty(200);
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  EXPECT_EQ(write(empty, {.keep_alive = false}), head + "Connection: close\r\n\r\n");
  EXPECT_EQ(write(empty, {.http_1_0 = true}), head + "Connection: keep-alive\r\n\r\n");
  EXPECT_EQ(write(empty, {.keep_alive = false, .http_1_0 = true}),
            head + "Connection: close\r\n\r\n");
  Response closing = Response::empty(200);
  EXPECT_FALSE(codec::http::wants_close(closing));
  closing.set_header("Connection", "x, Close");
  EXPECT_TRUE(codec::http::wants_close(closing));
  EXPECT_EQ(write(closing), head + "Connection: close\r\n\r\n");
}

TEST(ResponseWriter, KeepsFramingToItself) {
  Response response = Response::empty(200);
  response.set_header("Content-Length", "7").set_header("transfer-encoding", "chunked");
  response.set_header("Upgrade", "h2c").set_header("Date", "today").set_header("X", "y");
  EXPECT_EQ(write(response), "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseWriter, NamesTheProtocolThatA426Wants) {
  Response response = Response::empty(426);
  response.set_header("Upgrade", "websocket");
  const std::string head =
      "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nUpgrade: websocket\r\n";
  EXPECT_EQ(write(response), head + "Connection: upgrade\r\n\r\n");
  response.set_header("Connection", "close");
  EXPECT_EQ(write(response), head + "Connection: upgrade, close\r\n\r\n");
}

TEST(ResponseWriter, AppendsToWhatIsThere) {
  std::string out = "before";
  codec::http::write_response(out, Response::empty(204), {});
  EXPECT_EQ(out, "beforeHTTP/1.1 204 No Content\r\n\r\n");
}

TEST(Cors, OfAnyOriginIsFourHeaders) {
  Response response = Response::text(404, "Not implemented");
  response.set_header("Access-Control-Allow-Origin", "https://example.org");
  codec::http::add_cors_headers(response, cors_any_origin());
  EXPECT_EQ(response.header("access-control-allow-origin"), "*");
  EXPECT_EQ(response.header("access-control-allow-headers"), "*");
  EXPECT_EQ(response.header("access-control-allow-methods"), "GET, POST, HEAD, OPTIONS");
  EXPECT_EQ(response.header("access-control-max-age"), "86400");
  EXPECT_EQ(response.status(), 404);
}

TEST(Cors, TakesWhatCanBeAHeader) {
  EXPECT_TRUE(codec::http::are_valid_headers(cors_any_origin()));
  EXPECT_TRUE(codec::http::are_valid_headers({}));
  EXPECT_FALSE(codec::http::are_valid_headers({{"A b", "c"}}));
  EXPECT_FALSE(codec::http::are_valid_headers({{"A", "b\r\nC: d"}}));
}

TEST(Cors, AnswersEveryOptions) {
  EXPECT_TRUE(codec::http::is_cors_preflight(Request("OPTIONS", "/agents/a/b")));
  EXPECT_FALSE(codec::http::is_cors_preflight(Request("GET", "/agents/a/b")));
}

}  // namespace
}  // namespace ringroom
