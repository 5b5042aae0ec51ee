// Bytes as people read them. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::connect {

/// Lines of 16 bytes: their place, the bytes, their characters. Each ends with a new line.
std::string hex_dump(std::span<const std::byte> bytes);

/// "ca fe" for two bytes.
std::string hex_line(std::span<const std::byte> bytes);

/// Digits in pairs, with spaces anywhere between the pairs; nothing if the text is something else.
std::optional<std::vector<std::byte>> read_hex(std::string_view text);

}  // namespace ringroom::connect
