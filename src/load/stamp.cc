#include "load/stamp.h"

#include "base/assert.h"

#include <array>
#include <cstring>

namespace ringroom::load {

namespace {

// As it lies in a message: whole words, so that neither side waits for smaller ones to be put
// together. Run and sender; number and slot; the intended time; bytes and checksum.
using Wire = std::array<std::uint64_t, 4>;
static_assert(sizeof(Wire) == Stationery::binary_bytes_min);

constexpr std::uint64_t pair(std::uint32_t low, std::uint32_t high) {
  return low | static_cast<std::uint64_t>(high) << 32U;
}
constexpr std::uint32_t low_half(std::uint64_t word) {
  return static_cast<std::uint32_t>(word);
}
constexpr std::uint32_t high_half(std::uint64_t word) {
  return static_cast<std::uint32_t>(word >> 32U);
}

// Both halves of the whole product depend on all bits of both numbers.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Whole = unsigned __int128;
  const Whole product = static_cast<Whole>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

// Mixes all other fields: two multiplications that don't wait for each other. The constants keep a
// factor from being 0 for fields as they are.
std::uint32_t checksum(const Wire& wire) {
  const std::uint64_t mixed =
      fold(wire[0] ^ 0xff51afd7ed558ccd, wire[1] ^ 0xc4ceb9fe1a85ec53) ^
      fold(wire[2] ^ 0x9e3779b97f4a7c15, low_half(wire[3]) ^ 0xbf58476d1ce4e5b9);
  return low_half(mixed ^ (mixed >> 32U));
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
    const unsigned first = value_of(text[2 * i]);
    const unsigned second = value_of(text[2 * i + 1]);
    if (first > 15 || second > 15) return false;
    bytes[i] = static_cast<std::uint8_t>(first << 4U | second);
  }
  std::memcpy(&wire, bytes.data(), sizeof(wire));
  return true;
}

// In one pass: what is written and read again at once, in other pieces, makes the processor wait.
void put(std::byte* out, const std::byte* from, std::size_t bytes, codec::ws::MaskKey key) {
  constexpr std::size_t short_bytes = 64;
  std::size_t done = 0;
  if (bytes <= short_bytes) {
    for (; done + sizeof(std::uint64_t) <= bytes; done += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, from + done, sizeof(word));
      word ^= pair(key, key);
      std::memcpy(out + done, &word, sizeof(word));
    }
  }
  if (done == bytes) return;
  std::memcpy(out + done, from + done, bytes - done);
  codec::ws::unmask(out + done, bytes - done, key);
}

}  // namespace

Stationery::Stationery(std::uint32_t run, bool text, std::size_t bytes_max)
    : run_(run), text_(text), pattern_(bytes_max) {
  for (std::size_t i = 0; i < bytes_max; ++i) {
    const std::size_t mixed = i * 131 + (i >> 8U);
    pattern_[i] = static_cast<std::byte>(text ? 'A' + mixed % 26 : mixed & 0xffU);
  }
}

void Stationery::write(std::byte* out, const Stamp& stamp, codec::ws::MaskKey key) const {
  ASSERT(stamp.bytes >= bytes_min() && stamp.bytes <= pattern_.size());
  Wire wire{pair(run_, stamp.sender), pair(stamp.number, stamp.slot), stamp.intended_ns,
            stamp.bytes};
  wire[3] = pair(stamp.bytes, checksum(wire));
  if (text_) {
    write_hex(out, wire);
    codec::ws::unmask(out, text_bytes_min, key);
  } else {
    for (std::uint64_t& word : wire) word ^= pair(key, key);
    std::memcpy(out, &wire, sizeof(wire));
  }
  // The heads are whole multiples of the key, so it stands as it stood in front.
  const std::size_t head = bytes_min();
  put(out + head, pattern_.data() + head, stamp.bytes - head, key);
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
  const bool is_ours = low_half(wire[0]) == run_;
  if (high_half(wire[3]) != checksum(wire)) return is_ours ? Verdict::corrupted : Verdict::foreign;
  if (!is_ours) return Verdict::foreign;
  const std::size_t tail = message.size() - head;
  if (low_half(wire[3]) != message.size() || message.size() > pattern_.size() ||
      (tail != 0 && std::memcmp(message.data() + head, pattern_.data() + head, tail) != 0)) {
    return Verdict::corrupted;
  }
  stamp = {high_half(wire[0]), low_half(wire[1]), high_half(wire[1]), low_half(wire[3]), wire[2]};
  return Verdict::ours;
}

}  // namespace ringroom::load
