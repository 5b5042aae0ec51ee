// The server's side of the opening handshake (RFC 6455 §4.2): checks a request and writes the 101.
// Pure functions, any thread; bounded by the request's head.
#pragma once

#include "ringroom/request.h"
#include "ringroom/response.h"

#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ringroom::codec::http {

/// Sec-WebSocket-Accept: base64 of a SHA-1.
using AcceptKey = std::array<char, 28>;

/// An ordinary request: no Upgrade header, or another value than "websocket".
struct NotUpgrade {};

/// A valid request for a WebSocket. The views are borrowed from the request.
struct UpgradeAccepted {
  AcceptKey accept_key;
  std::vector<std::string_view> subprotocols;  ///< offered, valid tokens, in the client's order
  std::string extensions;  ///< Sec-WebSocket-Extensions, several lines joined by ", "; not parsed
};

/// A Response is the refusal: send it and close the connection.
using UpgradeCheck = std::variant<NotUpgrade, UpgradeAccepted, Response>;

/// Judges the head alone. Wrong version: 426 with Sec-WebSocket-Version: 13; anything else that
/// RFC 6455 §4.2.1 asks for and is not there: 400.
UpgradeCheck check_upgrade(const Request& request);

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 §4.2.2 item 5.4).
AcceptKey make_accept_key(std::string_view key);

/// Appends the complete 101 head. An empty subprotocol or extensions leaves its header out; both
/// must be valid header values (they come from the offer).
void write_switching_protocols(std::string& out,
                               const AcceptKey& accept_key,
                               std::string_view subprotocol,
                               std::string_view extensions);

}  // namespace ringroom::codec::http
