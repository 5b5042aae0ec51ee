// UTF-8 checks (RFC 3629) for text messages and close reasons, whole or as they arrive. Pure
// functions around simdjson's validator: any thread, no owner, no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ringroom::codec::ws {

/// Whether no byte has its high bit set. Meant for short texts: eight bytes at a time.
inline bool is_ascii(std::span<const std::byte> text) {
  std::uint64_t seen = 0;
  const std::byte* data = text.data();
  std::size_t left = text.size();
  for (; left >= sizeof seen; left -= sizeof seen, data += sizeof seen) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    seen |= word;
  }
  for (; left > 0; --left, ++data) {
    seen |= std::to_integer<std::uint64_t>(*data);
  }
  return (seen & 0x8080808080808080U) == 0;
}

namespace detail {
bool is_valid_utf8_by_library(std::span<const std::byte> text);
}

/// Whether the bytes are UTF-8 from beginning to end.
inline bool is_valid_utf8(std::span<const std::byte> text) {
  // The library's call costs more than the whole check of a short ASCII text.
  constexpr std::size_t short_bytes_max = 128;
  if (text.size() <= short_bytes_max && is_ascii(text)) {
    return true;
  }
  return detail::is_valid_utf8_by_library(text);
}

/// What is known of a text whose end has not arrived. `unfinished` is the number of bytes at its
/// end, 0 to 3, that begin a character: check them again together with what comes.
struct Utf8Prefix {
  bool valid = true;
  std::uint8_t unfinished = 0;
};

/// Checks bytes that start at a character boundary. Not valid as soon as no further bytes could
/// make it so: C0, F5, E0 80, ED A0, F4 90 and their like fail at once.
Utf8Prefix check_utf8_prefix(std::span<const std::byte> text);

}  // namespace ringroom::codec::ws
