// Stamp: what every message of a run carries in front, so that its receiver can tell whose it is,
// when it was meant to leave, and whether a byte has changed. Behind it a pattern that both sides
// know. 32 bytes, in text messages 64 hexadecimal digits. Values and pure functions: any thread.
#pragma once

#include "codec/ws/mask.h"

#include <cstddef>
#include <cstdint>
#include <optional>
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
  void write(std::byte* out, const Stamp& stamp, codec::ws::MaskKey key = 0) const;

  enum class Verdict : std::uint8_t { ours, corrupted, foreign };
  /// What came in; `stamp` is filled in when it is ours. Foreign: nothing of this run.
  Verdict read(std::span<const std::byte> message, Stamp& stamp) const;

 private:
  std::uint32_t run_;
  bool text_;
  std::vector<std::byte> pattern_;
};

}  // namespace ringroom::load
