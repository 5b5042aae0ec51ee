// Close codes of RFC 6455 §7.4.1 and of the IANA registry, as numbers with names. Any thread.
#pragma once

#include <cstdint>

namespace ringroom {

/// A WebSocket close code. Application codes (3000–4999) are made with close_code(4001).
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  /// Never on the wire: the peer's close frame carried no code.
  no_status = 1005,
  /// Never on the wire: the connection ended without a close frame.
  abnormal = 1006,
  invalid_payload = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  mandatory_extension = 1010,
  internal_error = 1011,
  service_restart = 1012,
  try_again_later = 1013,
  /// Ours: a newer connection has the same id (AgentOptions::duplicate_ids).
  replaced = 4009,
};

constexpr CloseCode close_code(std::uint16_t code) {
  return static_cast<CloseCode>(code);
}
constexpr std::uint16_t number(CloseCode code) {
  return static_cast<std::uint16_t>(code);
}

/// Whether close() takes the code: 1000–4999 but 1004–1006 and 1015–2999 (RFC 6455 §7.4.2).
constexpr bool may_be_sent(CloseCode code) {
  const std::uint16_t value = number(code);
  if (value >= 3000) return value <= 4999;
  return value >= 1000 && value <= 1014 && (value < 1004 || value > 1006);
}

}  // namespace ringroom
