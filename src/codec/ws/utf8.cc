#include "codec/ws/utf8.h"

#include <algorithm>

#include <simdjson.h>

namespace ringroom::codec::ws {
namespace {

/// The bytes a character takes that starts with this one; 0 if none does (RFC 3629 §4).
constexpr std::size_t character_bytes(std::uint8_t first) {
  if (first >= 0xc2 && first <= 0xdf) {
    return 2;
  }
  if (first >= 0xe0 && first <= 0xef) {
    return 3;
  }
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/// Whether the second byte rules out overlong forms, surrogates and what lies above U+10FFFF.
constexpr bool second_byte_fits(std::uint8_t first, std::uint8_t second) {
  switch (first) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return second <= 0x9f;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second <= 0x8f;
    default: return true;
  }
}

}  // namespace

bool detail::is_valid_utf8_by_library(std::span<const std::byte> text) {
  return simdjson::validate_utf8(reinterpret_cast<const char*>(text.data()), text.size());
}

Utf8Prefix check_utf8_prefix(std::span<const std::byte> text) {
  const auto byte_from_end = [&](std::size_t distance) {
    return std::to_integer<std::uint8_t>(text[text.size() - distance]);
  };
  Utf8Prefix prefix;
  for (std::size_t distance = 1; distance <= std::min<std::size_t>(3, text.size()); ++distance) {
    const std::uint8_t byte = byte_from_end(distance);
    if ((byte & 0xc0) == 0x80) {
      continue;  // inside a character: its first byte is further left
    }
    if (character_bytes(byte) > distance) {
      prefix.unfinished = static_cast<std::uint8_t>(distance);
      prefix.valid = distance == 1 || second_byte_fits(byte, byte_from_end(distance - 1));
    }
    break;
  }
  prefix.valid = prefix.valid && is_valid_utf8(text.first(text.size() - prefix.unfinished));
  return prefix;
}

}  // namespace ringroom::codec::ws
