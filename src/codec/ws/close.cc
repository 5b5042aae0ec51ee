#include "codec/ws/close.h"

#include "base/assert.h"
#include "codec/ws/encoder.h"
#include "codec/ws/utf8.h"

#include <cstring>

namespace ringroom::codec::ws {

bool is_valid_close_reason(std::string_view reason) {
  return reason.size() <= close_reason_bytes_max && is_valid_utf8(std::as_bytes(std::span(reason)));
}

ClosePayload parse_close_payload(std::span<const std::byte> payload) {
  if (payload.empty()) {
    return {};
  }
  if (payload.size() == 1) {
    return {.error = close_code::protocol_error, .reason = "Close frame of one byte"};
  }
  const auto code = static_cast<std::uint16_t>((std::to_integer<unsigned>(payload[0]) << 8U) |
                                               std::to_integer<unsigned>(payload[1]));
  if (!is_valid_received_close_code(code)) {
    return {.error = close_code::protocol_error, .reason = "Invalid close code"};
  }
  const std::span<const std::byte> reason = payload.subspan(2);
  if (!is_valid_utf8(reason)) {
    return {.error = close_code::invalid_payload, .reason = "Close reason is not UTF-8"};
  }
  return {.code = code, .reason = {reinterpret_cast<const char*>(reason.data()), reason.size()}};
}

std::size_t encode_close_payload(std::byte* out,
                                 std::optional<std::uint16_t> code,
                                 std::string_view reason) {
  if (!code) {
    ASSERT(reason.empty());
    return 0;
  }
  ASSERT(is_valid_sent_close_code(*code) && is_valid_close_reason(reason));
  out[0] = static_cast<std::byte>(*code >> 8U);
  out[1] = static_cast<std::byte>(*code & 0xffU);
  reason.copy(reinterpret_cast<char*>(out + 2), reason.size());
  return 2 + reason.size();
}

std::size_t encode_close(std::byte* out,
                         std::optional<std::uint16_t> code,
                         std::string_view reason) {
  const std::size_t payload_bytes = encode_close_payload(out + 2, code, reason);
  return encode_header(out, Opcode::close, payload_bytes) + payload_bytes;
}

}  // namespace ringroom::codec::ws
