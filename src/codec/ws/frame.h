// Frame words of RFC 6455 §5.2 shared by the decoder and the encoder. Constants only: any thread,
// no owner, no memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringroom::codec::ws {

/// The opcodes that RFC 6455 §11.8 registers; all others are refused.
enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

/// Which side this endpoint is. A server expects masked frames, a client unmasked ones (§5.1).
enum class Role : std::uint8_t { server, client };

inline constexpr std::uint8_t fin_bit = 0x80;
inline constexpr std::uint8_t rsv_bits = 0x70;
inline constexpr std::uint8_t rsv1_bit = 0x40;
inline constexpr std::uint8_t opcode_bits = 0x0f;
inline constexpr std::uint8_t mask_bit = 0x80;
inline constexpr std::uint8_t length_bits = 0x7f;

/// Length field values that announce a 16 bit and a 64 bit length (§5.2).
inline constexpr std::uint8_t length_is_16_bit = 126;
inline constexpr std::uint8_t length_is_64_bit = 127;

inline constexpr std::size_t mask_key_bytes = 4;
inline constexpr std::size_t header_bytes_max = 14;
inline constexpr std::size_t control_payload_bytes_max = 125;

/// Close, ping, pong and the reserved 11–15: not fragmented, at most 125 bytes (§5.5).
constexpr bool is_control(Opcode opcode) {
  return (static_cast<std::uint8_t>(opcode) & 0x08) != 0;
}

}  // namespace ringroom::codec::ws
