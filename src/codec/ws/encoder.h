// Writes frame headers (RFC 6455 §5.2); the payload is the caller's to place behind. Pure
// functions: any thread, no owner, no memory, at most header_bytes_max bytes written.
#pragma once

#include "codec/ws/frame.h"
#include "codec/ws/mask.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ringroom::codec::ws {

/// Bytes of an unmasked header before a payload of this size: 2, 4 or 10.
constexpr std::size_t header_bytes(std::size_t payload_bytes) {
  return payload_bytes < length_is_16_bit ? 2 : payload_bytes <= 0xffff ? 4 : 10;
}

/// Bytes of a masked header before a payload of this size: 6, 8 or 14.
constexpr std::size_t masked_header_bytes(std::size_t payload_bytes) {
  return header_bytes(payload_bytes) + mask_key_bytes;
}

namespace detail {

/// encode_length of length_is_16_bit bytes and more. Inlined, what it writes would be computed for
/// short ones too.
[[gnu::noinline]] inline std::size_t encode_long_length(std::byte* out,
                                                        std::size_t payload_bytes,
                                                        std::uint8_t mask) {
  const std::size_t bytes = header_bytes(payload_bytes);
  if (bytes == 4) {
    out[1] = std::byte{length_is_16_bit} | std::byte{mask};
    out[2] = static_cast<std::byte>(payload_bytes >> 8U);
    out[3] = static_cast<std::byte>(payload_bytes & 0xffU);
  } else {
    out[1] = std::byte{length_is_64_bit} | std::byte{mask};
    for (unsigned i = 0; i < 8; ++i) {
      out[2 + i] = static_cast<std::byte>((payload_bytes >> (8U * (7U - i))) & 0xffU);
    }
  }
  return bytes;
}

/// Writes the second byte and the extended length, and returns the header's size so far.
[[gnu::always_inline]] inline std::size_t encode_length(std::byte* out,
                                                        std::size_t payload_bytes,
                                                        std::uint8_t mask) {
  if (payload_bytes < length_is_16_bit) [[likely]] {
    out[1] = static_cast<std::byte>(payload_bytes | mask);
    return 2;
  }
  return encode_long_length(out, payload_bytes, mask);
}

constexpr std::byte first_byte(Opcode opcode, bool fin, bool rsv1) {
  return static_cast<std::byte>(static_cast<std::uint8_t>(opcode) | (fin ? fin_bit : 0) |
                                (rsv1 ? rsv1_bit : 0));
}

}  // namespace detail

/// Writes the header of an unmasked frame, as a server sends it, to `out`, which has room for
/// header_bytes(payload_bytes). Returns the bytes written. `rsv1` marks the first frame of a
/// compressed message (RFC 7692 §7.2.1).
inline std::size_t encode_header(
    std::byte* out, Opcode opcode, std::size_t payload_bytes, bool fin = true, bool rsv1 = false) {
  out[0] = detail::first_byte(opcode, fin, rsv1);
  return detail::encode_length(out, payload_bytes, 0);
}

/// Writes the header of a masked frame, as a client sends it, to `out`, which has room for
/// masked_header_bytes(payload_bytes). Returns the bytes written. The caller masks the payload with
/// unmask() and the same key, which must come from a strong random source (RFC 6455 §10.3).
[[gnu::always_inline]] inline std::size_t encode_masked_header(std::byte* out,
                                                               Opcode opcode,
                                                               std::size_t payload_bytes,
                                                               MaskKey key,
                                                               bool fin = true,
                                                               bool rsv1 = false) {
  out[0] = detail::first_byte(opcode, fin, rsv1);
  const std::size_t bytes = detail::encode_length(out, payload_bytes, mask_bit);
  std::memcpy(out + bytes, &key, sizeof key);
  return bytes + sizeof key;
}

}  // namespace ringroom::codec::ws
