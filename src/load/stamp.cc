#include "load/stamp.h"

#include "base/assert.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace ringroom::load {

namespace {

constexpr std::array<char, 16> digits = {'0', '1', '2', '3', '4', '5', '6', '7',
                                         '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

void write_hex(std::byte* out, std::span<const std::byte, Stationery::binary_bytes_min> bytes) {
  for (const std::byte value : bytes) {
    const auto byte = std::to_integer<std::uint8_t>(value);
    *out++ = static_cast<std::byte>(digits[byte >> 4U]);
    *out++ = static_cast<std::byte>(digits[byte & 15U]);
  }
}

// 16 and more: no digit.
unsigned value_of(std::byte digit) {
  const auto letter = std::to_integer<unsigned>(digit);
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  return 16;
}

bool read_hex(const std::byte* text, std::span<std::byte, Stationery::binary_bytes_min> bytes) {
  for (std::byte& byte : bytes) {
    const unsigned first = value_of(*text++);
    const unsigned second = value_of(*text++);
    if (first > 15 || second > 15) return false;
    byte = static_cast<std::byte>(first << 4U | second);
  }
  return true;
}

}  // namespace

Stationery::Stationery(std::uint32_t run, bool text, std::size_t bytes_max)
    : run_(run), text_(text), short_sizes_(0), pattern_(bytes_max) {
  constexpr std::size_t short_bytes_max = 2 * binary_bytes_min;
  if (!text && bytes_max >= binary_bytes_min) {
    short_sizes_ = std::min(bytes_max, short_bytes_max) - binary_bytes_min + 1;
  }
  for (std::size_t i = 0; i < bytes_max; ++i) {
    const std::size_t mixed = i * 131 + (i >> 8U);
    pattern_[i] = static_cast<std::byte>(text ? 'A' + mixed % 26 : mixed & 0xffU);
  }
}

void Stationery::write_any(std::byte* out, Stamp stamp, codec::ws::MaskKey key) const {
  ASSERT(stamp.bytes >= bytes_min() && stamp.bytes <= pattern_.size());
  const Wire wire = wire_of(stamp);
  if (text_) {
    std::array<std::byte, binary_bytes_min> bytes{};
    put_wire(bytes.data(), wire, 0);
    write_hex(out, bytes);
    codec::ws::unmask(out, text_bytes_min, key);
  } else {
    put_wire(out, wire, key);
  }
  // The heads are whole multiples of the key, so it stands as it stood in front.
  const std::size_t head = bytes_min();
  std::memcpy(out + head, pattern_.data() + head, stamp.bytes - head);
  codec::ws::unmask(out + head, stamp.bytes - head, key);
}

Stationery::Read Stationery::read_any(std::span<const std::byte> message) const {
  const std::size_t head = bytes_min();
  if (message.size() < head) return {Verdict::foreign, {}};
  std::array<std::byte, binary_bytes_min> bytes{};
  if (text_ && !read_hex(message.data(), bytes)) return {Verdict::foreign, {}};
  const Wire wire = wire_at(text_ ? bytes.data() : message.data());
  const std::size_t tail = message.size() - head;
  const bool is_pattern =
      message.size() <= pattern_.size() &&
      (tail == 0 || std::memcmp(message.data() + head, pattern_.data() + head, tail) == 0);
  Read read{};
  read.verdict = judge(wire, message.size(), is_pattern, read.stamp);
  return read;
}

}  // namespace ringroom::load
