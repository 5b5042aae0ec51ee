// The handshake of permessage-deflate (RFC 7692 §7.1), on both sides. Pure functions: any thread,
// no owner, no memory beyond the text they return. Neither side ever keeps a compression context
// from one message to the next, so a connection costs no memory for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ringroom::codec::ws {

inline constexpr int window_bits_max = 15;
/// Eight is legal, but zlib cannot deflate raw with a window that small.
inline constexpr int deflate_window_bits_min = 9;

/// What both ends have agreed on. No context is taken over in either direction.
struct DeflateParameters {
  /// Present if the client limited it: we deflate with no larger window.
  std::optional<int> server_max_window_bits;
  /// Present if the client named a value: it promises no larger window.
  std::optional<int> client_max_window_bits;

  /// The window to deflate with, as a server.
  int server_window_bits() const { return server_max_window_bits.value_or(window_bits_max); }

  /// The value of the response's Sec-WebSocket-Extensions.
  std::string header() const;
};

/// A server's choice among the offers of a Sec-WebSocket-Extensions value (several header lines
/// joined by commas): the first one for permessage-deflate without an unknown, repeated or invalid
/// parameter and with a window that we can deflate with. Empty if there is none, or if the value is
/// not a list of extensions.
std::optional<DeflateParameters> negotiate(std::string_view sec_websocket_extensions);

/// What a client offers: no context in either direction, full windows.
inline constexpr std::string_view deflate_offer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// Whether the server's answer accepts deflate_offer as RFC 7692 §7.1 allows it. Empty if not, and
/// then the client must fail the connection. A value without any extension means not compressed: do
/// not ask then.
std::optional<DeflateParameters> accept_answer(std::string_view sec_websocket_extensions);

}  // namespace ringroom::codec::ws
