#include "codec/http/upgrade.h"

#include "codec/http/request_reader.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::codec::http {
namespace {

using HeaderPairs = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 §1.3

Request request_with(const HeaderPairs& headers, std::string_view method = "GET") {
  Request request(method, "/agents/echo/x");
  for (const auto& [name, value] : headers) {
    request.set_header(name, value);
  }
  return request;
}

/// A valid handshake, with one header replaced or, by an empty value, left out.
Request handshake(std::string_view name = "",
                  std::string_view value = "",
                  std::string_view method = "GET") {
  HeaderPairs headers{{"Host", "h"},
                      {"Upgrade", "websocket"},
                      {"Connection", "Upgrade"},
                      {"Sec-WebSocket-Version", "13"},
                      {"Sec-WebSocket-Key", key}};
  std::erase_if(headers, [name](const auto& header) { return header.first == name; });
  if (!value.empty()) {
    headers.emplace_back(name, value);
  }
  return request_with(headers, method);
}

/// The valid handshake with lines added, as it arrives; names may then be there twice.
Request read_handshake(std::string_view more, std::string_view version = "HTTP/1.1") {
  const std::string bytes = "GET /agents/echo/x " + std::string(version) +
                            "\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: " +
                            std::string(key) + "\r\n" + std::string(more) + "\r\n";
  RequestReader reader;
  std::span<const std::byte> input = std::as_bytes(std::span(bytes));
  EXPECT_EQ(reader.feed(input), ReadStatus::head);
  return reader.take_request();
}

void expect_refused(const Request& request, int status, std::string_view text) {
  const UpgradeCheck check = check_upgrade(request);
  const auto* response = std::get_if<Response>(&check);
  ASSERT_NE(response, nullptr) << text;
  EXPECT_EQ(response->status(), status);
  EXPECT_EQ(response->body(), text);
  EXPECT_EQ(response->header("connection"), "close");
  EXPECT_EQ(response->header("sec-websocket-version").has_value(), status == 426);
  EXPECT_EQ(response->header("upgrade").has_value(), status == 426);
}

UpgradeAccepted expect_accepted(const Request& request) {
  UpgradeCheck check = check_upgrade(request);
  EXPECT_TRUE(std::holds_alternative<UpgradeAccepted>(check));
  return std::get<UpgradeAccepted>(std::move(check));
}

TEST(Upgrade, AcceptsTheExampleOfTheRfc) {
  const UpgradeAccepted accepted = expect_accepted(handshake());
  EXPECT_EQ(std::string_view(accepted.accept_key.data(), accepted.accept_key.size()),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_TRUE(accepted.subprotocols.empty());
  EXPECT_EQ(accepted.extensions, "");
}

TEST(Upgrade, ComparesTokensWithoutCase) {
  expect_accepted(handshake("Upgrade", "WebSocket"));
  expect_accepted(handshake("Connection", "keep-alive, uPGRADE"));
}

TEST(Upgrade, LeavesOtherRequestsAlone) {
  for (const Request& request : {handshake("Upgrade"), handshake("Upgrade", "h2c"),
                                 handshake("Upgrade", "websocket, h2c")}) {
    EXPECT_TRUE(std::holds_alternative<NotUpgrade>(check_upgrade(request)));
  }
}

TEST(Upgrade, RefusesOtherVersionsWith426) {
  constexpr std::string_view text = "ERROR: The requested WebSocket version is not supported.";
  for (const std::string_view version : {"8", "", "14", "13, 8", "013", "x"}) {
    expect_refused(handshake("Sec-WebSocket-Version", version), 426, text);
  }
  expect_refused(request_with({{"Upgrade", "websocket"}}), 426, text);
}

TEST(Upgrade, RefusesMissingAndInvalidKeys) {
  expect_refused(handshake("Sec-WebSocket-Key"), 400, "ERROR: Missing Sec-WebSocket-Key");
  for (const std::string_view bad :
       {"x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25j!Q==",
        "dGhlIHNhbXBsZSBub25jZWE=", "dGhlIHNhbXBsZSBub25jZQ==AAAA", "========================"}) {
    expect_refused(handshake("Sec-WebSocket-Key", bad), 400, "ERROR: Invalid Sec-WebSocket-Key");
  }
}

TEST(Upgrade, RefusesOtherMethods) {
  for (const std::string_view method : {"POST", "HEAD", "get"}) {
    expect_refused(handshake("", "", method), 400,
                   "ERROR: WebSocket must be initiated with a GET request.");
  }
}

TEST(Upgrade, RefusesAConnectionHeaderWithoutTheToken) {
  constexpr std::string_view text = "ERROR: The Connection header must have the token Upgrade.";
  expect_refused(handshake("Connection"), 400, text);
  expect_refused(handshake("Connection", "keep-alive"), 400, text);
  expect_refused(handshake("Connection", "upgraded"), 400, text);
}

TEST(Upgrade, RefusesABody) {
  constexpr std::string_view text = "ERROR: A WebSocket handshake must not have a body.";
  expect_refused(handshake("Content-Length", "5"), 400, text);
  expect_refused(handshake("Transfer-Encoding", "chunked"), 400, text);
  expect_accepted(handshake("Content-Length", "0"));
}

TEST(Upgrade, ListsOfferedSubprotocols) {
  const Request request = handshake("Sec-WebSocket-Protocol", "chat.v2, chat.v1 ,json");
  EXPECT_EQ(expect_accepted(request).subprotocols,
            (std::vector<std::string_view>{"chat.v2", "chat.v1", "json"}));
  for (const std::string_view bad : {"a b", "a, a", "a;b", "caf\xc3\xa9"}) {
    expect_refused(handshake("Sec-WebSocket-Protocol", bad), 400,
                   "ERROR: Invalid Sec-WebSocket-Protocol");
  }
}

TEST(Upgrade, KeepsTheOfferOfExtensions) {
  const Request request = handshake("Sec-WebSocket-Extensions", "permessage-deflate; x=1, other");
  EXPECT_EQ(expect_accepted(request).extensions, "permessage-deflate; x=1, other");
}

TEST(Upgrade, JoinsRepeatedLists) {
  const Request request = read_handshake(
      "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n"
      "Sec-WebSocket-Extensions: x\r\nSec-WebSocket-Extensions:\r\n"
      "Sec-WebSocket-Extensions: y; z\r\n");
  const UpgradeAccepted accepted = expect_accepted(request);
  EXPECT_EQ(accepted.subprotocols, (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(accepted.extensions, "x, y; z");
}

TEST(Upgrade, RefusesRepeatedSingleHeaders) {
  expect_refused(read_handshake("Sec-WebSocket-Version: 13\r\n"), 426,
                 "ERROR: The requested WebSocket version is not supported.");
  expect_refused(read_handshake("Sec-WebSocket-Key: " + std::string(key) + "\r\n"), 400,
                 "ERROR: Invalid Sec-WebSocket-Key");
  EXPECT_TRUE(
      std::holds_alternative<NotUpgrade>(check_upgrade(read_handshake("Upgrade: websocket\r\n"))));
}

TEST(Upgrade, RefusesHttp10) {
  expect_refused(read_handshake("", "HTTP/1.0"), 400,
                 "ERROR: WebSocket must be initiated with HTTP/1.1.");
}

TEST(Upgrade, WritesTheSwitchingProtocolsResponse) {
  std::string out;
  write_switching_protocols(out, make_accept_key(key), "", "");
  EXPECT_EQ(out,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  out.clear();
  write_switching_protocols(out, make_accept_key(key), "chat", "permessage-deflate");
  EXPECT_TRUE(
      out.ends_with("+xOo=\r\nSec-WebSocket-Protocol: chat\r\n"
                    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"));
}

}  // namespace
}  // namespace ringroom::codec::http
