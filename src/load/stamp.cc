#include "load/stamp.h"

#include "base/assert.h"

#include <array>
#include <cstring>

namespace ringroom::load {

namespace {

// As it lies in a message.
struct Wire {
  std::uint32_t run;
  std::uint32_t sender;
  std::uint32_t number;
  std::uint32_t slot;
  std::uint64_t intended_ns;
  std::uint32_t bytes;
  std::uint32_t check;
};
static_assert(sizeof(Wire) == Stationery::binary_bytes_min);

constexpr std::uint64_t pair(std::uint32_t low, std::uint32_t high) {
  return low | static_cast<std::uint64_t>(high) << 32U;
}

// Both halves of the whole product depend on all bits of both numbers.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Whole = unsigned __int128;
  const Whole product = static_cast<Whole>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

// Mixes all other fields, put together in registers: two multiplications that don't wait for each
// other. The constants keep a factor from being 0 for fields as they are.
std::uint32_t checksum(const Wire& wire) {
  const std::uint64_t mixed =
      fold(pair(wire.run, wire.sender) ^ 0xff51afd7ed558ccd,
           pair(wire.number, wire.slot) ^ 0xc4ceb9fe1a85ec53) ^
      fold(wire.intended_ns ^ 0x9e3779b97f4a7c15, wire.bytes ^ 0xbf58476d1ce4e5b9);
  return static_cast<std::uint32_t>(mixed ^ (mixed >> 32U));
}

constexpr std::array<char, 16> digits = {'0', '1', '2', '3', '4', '5', '6', '7',
                                         '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

void write_hex(std::byte* out, const Wire& wire) {
  std::array<std::uint8_t, sizeof(Wire)> bytes{};
  std::memcpy(bytes.data(), &wire, sizeof(wire));
  for (const std::uint8_t byte : bytes) {
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

bool read_hex(std::span<const std::byte> text, Wire& wire) {
  std::array<std::uint8_t, sizeof(Wire)> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const unsigned high = value_of(text[2 * i]);
    const unsigned low = value_of(text[2 * i + 1]);
    if (high > 15 || low > 15) return false;
    bytes[i] = static_cast<std::uint8_t>(high << 4U | low);
  }
  std::memcpy(&wire, bytes.data(), sizeof(wire));
  return true;
}

}  // namespace

Stationery::Stationery(std::uint32_t run, bool text, std::size_t bytes_max)
    : run_(run), text_(text), pattern_(bytes_max) {
  for (std::size_t i = 0; i < bytes_max; ++i) {
    const std::size_t mixed = i * 131 + (i >> 8U);
    pattern_[i] = static_cast<std::byte>(text ? 'A' + mixed % 26 : mixed & 0xffU);
  }
}

void Stationery::write(std::byte* out, const Stamp& stamp) const {
  ASSERT(stamp.bytes >= bytes_min() && stamp.bytes <= pattern_.size());
  Wire wire{run_, stamp.sender, stamp.number, stamp.slot, stamp.intended_ns, stamp.bytes, 0};
  wire.check = checksum(wire);
  if (text_) {
    write_hex(out, wire);
  } else {
    std::memcpy(out, &wire, sizeof(wire));
  }
  const std::size_t head = bytes_min();
  if (stamp.bytes > head) std::memcpy(out + head, pattern_.data() + head, stamp.bytes - head);
}

Stationery::Verdict Stationery::read(std::span<const std::byte> message, Stamp& stamp) const {
  const std::size_t head = bytes_min();
  if (message.size() < head) return Verdict::foreign;
  Wire wire{};
  if (!text_) {
    std::memcpy(&wire, message.data(), sizeof(wire));
  } else if (!read_hex(message, wire)) {
    return Verdict::foreign;
  }
  if (wire.check != checksum(wire)) return wire.run == run_ ? Verdict::corrupted : Verdict::foreign;
  if (wire.run != run_) return Verdict::foreign;
  const std::size_t tail = message.size() - head;
  if (wire.bytes != message.size() || message.size() > pattern_.size() ||
      (tail != 0 && std::memcmp(message.data() + head, pattern_.data() + head, tail) != 0)) {
    return Verdict::corrupted;
  }
  stamp = {wire.sender, wire.number, wire.slot, wire.bytes, wire.intended_ns};
  return Verdict::ours;
}

}  // namespace ringroom::load
