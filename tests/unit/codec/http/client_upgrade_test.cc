#include "codec/http/client_upgrade.h"

#include <string>

#include <gtest/gtest.h>

namespace ringroom::codec::http {
namespace {

using Kind = UpgradeAnswer::Kind;

// RFC 6455 §1.3.
const AcceptKey accept = make_accept_key("dGhlIHNhbXBsZSBub25jZQ==");

UpgradeAnswer read(std::string_view text) {
  return read_upgrade_answer(std::as_bytes(std::span(text)), accept);
}

std::string answer(std::string_view headers) {
  return "HTTP/1.1 101 Switching Protocols\r\n" + std::string(headers) + "\r\n";
}

constexpr std::string_view good =
    "Upgrade: WebSocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

TEST(ClientUpgrade, WritesARequest) {
  std::string request;
  write_upgrade_request(request, "host:1", "/path?q", "KEY", "A: b\r\n");
  EXPECT_TRUE(request.starts_with("GET /path?q HTTP/1.1\r\nHost: host:1\r\n"));
  EXPECT_NE(request.find("\r\nSec-WebSocket-Key: KEY\r\n"), std::string::npos);
  EXPECT_TRUE(request.ends_with("\r\nA: b\r\n\r\n"));
}

TEST(ClientUpgrade, AKeyIsSixteenBytesInBase64) {
  const std::array<std::byte, 16> zeros{};
  EXPECT_EQ(make_websocket_key(zeros), "AAAAAAAAAAAAAAAAAAAAAA==");
}

TEST(ClientUpgrade, AcceptsWhatTheServerWrites) {
  std::string written;
  write_switching_protocols(written, accept, {}, {});
  const UpgradeAnswer read_back = read(written);
  EXPECT_EQ(read_back.kind, Kind::accepted) << read_back.problem;
  EXPECT_EQ(read_back.head_bytes, written.size());
}

TEST(ClientUpgrade, LeavesWhatComesBehindTheHead) {
  const std::string head = answer(good);
  const UpgradeAnswer read_back = read(head + "\x81\x01x");
  EXPECT_EQ(read_back.kind, Kind::accepted) << read_back.problem;
  EXPECT_EQ(read_back.head_bytes, head.size());
}

TEST(ClientUpgrade, WaitsForTheWholeHead) {
  const std::string head = answer(good);
  for (std::size_t bytes = 0; bytes < head.size(); ++bytes) {
    EXPECT_EQ(read(std::string_view(head).substr(0, bytes)).kind, Kind::need_more) << bytes;
  }
}

TEST(ClientUpgrade, TellsARefusal) {
  const UpgradeAnswer refused = read("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(refused.kind, Kind::refused);
  EXPECT_EQ(refused.status, 404U);
  EXPECT_EQ(refused.problem, "404 Not Found");
}

TEST(ClientUpgrade, TellsWhatIsNoAnswer) {
  EXPECT_EQ(read("SSH-2.0-OpenSSH_9.2\r\n\r\n").kind, Kind::invalid);
  EXPECT_EQ(read(answer("Connection: Upgrade\r\n")).kind, Kind::invalid);
  EXPECT_EQ(read(answer("Upgrade: websocket\r\nSec-WebSocket-Accept: x\r\n")).kind, Kind::invalid);
  EXPECT_EQ(
      read(answer(std::string(good) + "Sec-WebSocket-Extensions: permessage-deflate\r\n")).kind,
      Kind::invalid);
}

}  // namespace
}  // namespace ringroom::codec::http
