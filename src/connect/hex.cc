#include "connect/hex.h"

#include <algorithm>
#include <charconv>

namespace ringroom::connect {

namespace {

constexpr std::size_t bytes_a_line = 16;
constexpr std::string_view digits = "0123456789abcdef";

void append_byte(std::string& out, std::byte byte) {
  const auto value = std::to_integer<unsigned>(byte);
  out += digits[value >> 4U];
  out += digits[value & 15U];
}

}  // namespace

std::string hex_dump(std::span<const std::byte> bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += bytes_a_line) {
    const auto line = bytes.subspan(at, std::min(bytes_a_line, bytes.size() - at));
    for (unsigned shift = 32; shift > 0; shift -= 4) out += digits[at >> (shift - 4) & 15U];
    out += ": ";
    for (std::size_t i = 0; i < bytes_a_line; ++i) {
      if (i < line.size()) {
        append_byte(out, line[i]);
      } else {
        out += "  ";
      }
      out += ' ';
    }
    out += ' ';
    for (const std::byte byte : line) {
      const char c = static_cast<char>(byte);
      out += c >= ' ' && c <= '~' ? c : '.';
    }
    out += '\n';
  }
  return out;
}

std::string hex_line(std::span<const std::byte> bytes) {
  std::string out;
  for (const std::byte byte : bytes) {
    if (!out.empty()) out += ' ';
    append_byte(out, byte);
  }
  return out;
}

std::optional<std::vector<std::byte>> read_hex(std::string_view text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\t') {
      ++i;
      continue;
    }
    unsigned value = 0;
    const char* pair = text.data() + i;
    if (text.size() - i < 2) return std::nullopt;
    const auto [end, error] = std::from_chars(pair, pair + 2, value, 16);
    if (error != std::errc() || end != pair + 2) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(value));
    i += 2;
  }
  return bytes;
}

}  // namespace ringroom::connect
