// Messages over bare TCP, as tcp:// means them: the length, u32, little endian, then the bytes. No
// state; any thread. Lengths come from the network: the caller bounds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ringroom::load::bare {

inline constexpr std::size_t length_bytes = 4;

inline void write_length(std::byte* out, std::size_t bytes) {
  const auto length = static_cast<std::uint32_t>(bytes);
  std::memcpy(out, &length, length_bytes);
}

/// Of at least length_bytes.
inline std::size_t read_length(std::span<const std::byte> bytes) {
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data(), length_bytes);
  return length;
}

}  // namespace ringroom::load::bare
