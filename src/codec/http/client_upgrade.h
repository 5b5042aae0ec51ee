// The client's side of the opening handshake (RFC 6455 §4.1): writes the request and reads its
// answer. Pure functions, any thread; who calls bounds how much of an answer is kept.
#pragma once

#include "codec/http/upgrade.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ringroom::codec::http {

/// A Sec-WebSocket-Key of 16 bytes, which should be random.
std::string make_websocket_key(std::span<const std::byte, 16> bytes);

/// Appends a request. `host` is the value of the Host header, `target` begins with a slash, and
/// `headers` are whole lines that end with CR LF, or nothing.
void write_upgrade_request(std::string& out,
                           std::string_view host,
                           std::string_view target,
                           std::string_view key,
                           std::string_view headers);

struct UpgradeAnswer {
  enum class Kind : std::uint8_t {
    need_more,  // the head has not arrived whole; call again with more behind it
    accepted,   // the connection speaks WebSocket behind head_bytes
    refused,    // another status than 101
    invalid,    // no HTTP, or a 101 that doesn't fit the request
  };
  Kind kind = Kind::need_more;
  unsigned status = 0;
  std::size_t head_bytes = 0;
  std::string problem;  ///< refused: "503 Service Unavailable"; invalid: what is wrong
};

/// Reads the bytes from the front of an answer. Extensions and subprotocols weren't offered, so an
/// answer that names an extension is invalid.
UpgradeAnswer read_upgrade_answer(std::span<const std::byte> bytes, const AcceptKey& expected);

}  // namespace ringroom::codec::http
