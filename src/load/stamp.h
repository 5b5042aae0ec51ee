// Stamp: what every message of a run carries in front, so that its receiver can tell whose it is,
// when it was meant to leave, and whether a byte has changed. Behind it a pattern that both sides
// know. 32 bytes, in text messages 64 hexadecimal digits. Values and pure functions: any thread.
// Short binary ones are written and read inline: with many in flight that is most of what a client
// does outside of the kernel.
#pragma once

#include "codec/ws/mask.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace ringroom::load {

struct Stamp {
  std::uint32_t sender = 0;       ///< its number in the whole run
  std::uint32_t number = 0;       ///< of its messages, from 0
  std::uint32_t slot = 0;         ///< the sender's own, to find what it waits for
  std::uint32_t bytes = 0;        ///< of the whole message
  std::uint64_t intended_ns = 0;  ///< when it should have left, CLOCK_MONOTONIC of the sender
};

/// What the messages of one run look like. Made once, read by all threads.
class Stationery {
 public:
  static constexpr std::size_t binary_bytes_min = 32;
  static constexpr std::size_t text_bytes_min = 64;

  /// `run` tells this run's messages from those of others in the same room.
  Stationery(std::uint32_t run, bool text, std::size_t bytes_max);

  std::size_t bytes_min() const { return text_ ? text_bytes_min : binary_bytes_min; }
  bool is_text() const { return text_; }

  /// Writes a message of stamp.bytes, at least bytes_min() and at most bytes_max; with a key as a
  /// client's frame has it, masked.
  [[gnu::always_inline]] void write(std::byte* out,
                                    const Stamp& stamp,
                                    codec::ws::MaskKey key = 0) const {
    if (!is_short(stamp.bytes)) [[unlikely]]
      return write_any(out, stamp, key);
    // The pattern's last block first: the stamp goes over what it has of the head.
    const std::size_t last = stamp.bytes - block_bytes;
    put_block(out + last, pattern_.data() + last, codec::ws::rotate_mask_key(key, last));
    put_wire(out, wire_of(stamp), key);
  }

  enum class Verdict : std::uint8_t { ours, corrupted, foreign };
  /// What came in; `stamp` is filled in when it is ours. Foreign: nothing of this run.
  [[gnu::always_inline]] Verdict read(std::span<const std::byte> message, Stamp& stamp) const {
    if (!is_short(message.size())) [[unlikely]] {
      const Read read = read_any(message);
      stamp = read.stamp;
      return read.verdict;
    }
    const Wire wire = wire_at(message.data());
    const std::size_t tail = message.size() - binary_bytes_min;
    return judge(
        wire, message.size(),
        is_equal(message.data() + binary_bytes_min, pattern_.data() + binary_bytes_min, tail),
        stamp);
  }

 private:
  // As it lies in a message: whole words, so that neither side waits for smaller ones to be put
  // together.
  struct Wire {
    std::uint64_t from;   // run and sender
    std::uint64_t place;  // number and slot
    std::uint64_t intended_ns;
    std::uint64_t size;  // bytes and checksum
  };
  static constexpr std::size_t block_bytes = sizeof(Wire);
  static_assert(block_bytes == binary_bytes_min);

  static constexpr std::uint64_t pair(std::uint32_t low, std::uint32_t high) {
    return low | static_cast<std::uint64_t>(high) << 32U;
  }
  static constexpr std::uint32_t low_half(std::uint64_t word) {
    return static_cast<std::uint32_t>(word);
  }
  static constexpr std::uint32_t high_half(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> 32U);
  }

  // The upper half of a sum of the other fields, each with an odd factor of its own: every bit of
  // theirs has a part in it, and no product waits for another.
  static constexpr std::uint32_t checksum(const Wire& wire) {
    return high_half(wire.from * 0x9e3779b97f4a7c15 + wire.place * 0xc4ceb9fe1a85ec53 +
                     wire.intended_ns * 0xff51afd7ed558ccd +
                     low_half(wire.size) * 0xbf58476d1ce4e5b9);
  }
  [[gnu::always_inline]] Wire wire_of(const Stamp& stamp) const {
    Wire wire{pair(run_, stamp.sender), pair(stamp.number, stamp.slot), stamp.intended_ns,
              stamp.bytes};
    wire.size |= std::uint64_t{checksum(wire)} << 32U;
    return wire;
  }
  [[gnu::always_inline]] Verdict judge(const Wire& wire,
                                       std::size_t bytes,
                                       bool is_pattern,
                                       Stamp& stamp) const {
    const bool is_ours = low_half(wire.from) == run_;
    const bool is_whole = high_half(wire.size) == checksum(wire);
    if (is_ours && is_whole && low_half(wire.size) == bytes && is_pattern) [[likely]] {
      stamp = {high_half(wire.from), low_half(wire.place), high_half(wire.place),
               low_half(wire.size), wire.intended_ns};
      return Verdict::ours;
    }
    return is_ours ? Verdict::corrupted : Verdict::foreign;
  }

  static void put_word(std::byte* out, std::uint64_t word) {
    std::memcpy(out, &word, sizeof(word));
  }
  static void put_wire(std::byte* out, const Wire& wire, codec::ws::MaskKey key) {
    const std::uint64_t keys = pair(key, key);
    put_word(out, wire.from ^ keys);
    put_word(out + 8, wire.place ^ keys);
    put_word(out + 16, wire.intended_ns ^ keys);
    put_word(out + 24, wire.size ^ keys);
  }
  using Half [[gnu::vector_size(block_bytes / 2)]] = codec::ws::MaskKey;
  static Half half_at(const std::byte* from) {
    Half half;
    std::memcpy(&half, from, sizeof(half));
    return half;
  }
  static void put_half(std::byte* out, Half half) { std::memcpy(out, &half, sizeof(half)); }
  static void put_block(std::byte* out, const std::byte* from, codec::ws::MaskKey key) {
    put_half(out, half_at(from) ^ key);
    put_half(out + sizeof(Half), half_at(from + sizeof(Half)) ^ key);
  }
  static std::uint64_t word_at(const std::byte* from) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof(word));
    return word;
  }
  // Word by word: what goes through a vector has to be taken apart again.
  static Wire wire_at(const std::byte* from) {
    return {word_at(from), word_at(from + 8), word_at(from + 16), word_at(from + 24)};
  }
  // Of up to 32 bytes: 16 and more as two halves that may overlap.
  static bool is_equal(const std::byte* a, const std::byte* b, std::size_t bytes) {
    constexpr std::size_t half = sizeof(Half);
    if (bytes < half) [[unlikely]]
      return bytes == 0 || std::memcmp(a, b, bytes) == 0;
    const std::size_t last = bytes - half;
    const Half other = (half_at(a) ^ half_at(b)) | (half_at(a + last) ^ half_at(b + last));
    const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(other);
    return (words[0] | words[1]) == 0;
  }

  bool is_short(std::size_t bytes) const { return bytes - binary_bytes_min < short_sizes_; }
  // By value: a stamp that somebody has the address of isn't kept in registers.
  struct Read {
    Verdict verdict;
    Stamp stamp;
  };
  void write_any(std::byte* out, Stamp stamp, codec::ws::MaskKey key) const;
  Read read_any(std::span<const std::byte> message) const;

  std::uint32_t run_;
  bool text_;
  std::size_t short_sizes_;  // that are done inline, from binary_bytes_min on; none as text
  std::vector<std::byte> pattern_;
};

}  // namespace ringroom::load
