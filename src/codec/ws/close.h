// Close frames: which codes may be seen and sent, and their payload (RFC 6455 §5.5.1, §7.4). Pure
// functions: any thread, no owner, no memory.
#pragma once

#include "codec/ws/frame.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ringroom::codec::ws {

/// Codes the codec itself speaks of; the rest are numbers of the caller's.
namespace close_code {
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t no_status = 1005;
inline constexpr std::uint16_t invalid_payload = 1007;
inline constexpr std::uint16_t message_too_big = 1009;
}  // namespace close_code

/// A close payload is a code of two bytes and up to 123 bytes of UTF-8.
inline constexpr std::size_t close_reason_bytes_max = control_payload_bytes_max - 2;

/// Bytes of the largest close frame that encode_close writes.
inline constexpr std::size_t close_frame_bytes_max = 2 + control_payload_bytes_max;

/// Whether a peer may send this code: 1000–1003, 1007–1014 (§7.4.1 and the registry of §11.7) and
/// 3000–4999. All others are a protocol error, 1004, 1005, 1006 and 1015 among them.
constexpr bool is_valid_received_close_code(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

/// Whether this endpoint may send this code. The same set: what we would refuse we do not send.
constexpr bool is_valid_sent_close_code(std::uint16_t code) {
  return is_valid_received_close_code(code);
}

/// Whether this is a reason that fits into a close frame: UTF-8 of at most close_reason_bytes_max.
bool is_valid_close_reason(std::string_view reason);

/// What a close frame of the peer says. `error` is 0, or the code to fail the connection with, and
/// then `reason` is a static text for it; else `reason` points into the payload.
struct ClosePayload {
  std::uint16_t error = 0;
  std::uint16_t code = close_code::no_status;
  std::string_view reason{};
};

/// Reads the unmasked payload of a close frame. Empty means no_status (§7.1.5).
ClosePayload parse_close_payload(std::span<const std::byte> payload);

/// Writes the payload of a close frame to `out`, which has room for control_payload_bytes_max, and
/// returns its size. Without a code the payload is empty. The code must be valid to send and the
/// reason a valid one, empty without a code: anything else is a mistake of ours and stops us.
std::size_t encode_close_payload(std::byte* out,
                                 std::optional<std::uint16_t> code,
                                 std::string_view reason);

/// Writes a whole unmasked close frame to `out`, which has room for close_frame_bytes_max, and
/// returns its size. The same demands.
std::size_t encode_close(std::byte* out,
                         std::optional<std::uint16_t> code,
                         std::string_view reason);

}  // namespace ringroom::codec::ws
