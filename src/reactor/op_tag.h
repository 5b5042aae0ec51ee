// Tag: what a completion carries back instead of a pointer: operation, generation and slot, so
// that a late one is recognised. A value; any thread.
#pragma once

#include <cstdint>

namespace ringroom::reactor {

enum class Op : std::uint8_t {
  ignored,       // nobody waits for this completion
  accept,        // slot: which listener
  receive,       // multishot receive of an upgraded connection
  receive_once,  // single-shot receive of one that speaks HTTP
  send,          // completes only when something is left over
  send_rest,     // what was left over
  poll,          // a parked connection became readable
  shut_down,     // our direction of the connection is closed
  close,         // the descriptor is free again
  event,         // an eventfd was written; slot: which
  letters,       // another shard has put something into our mailbox
  arrival,       // a socket moved here; the rest of the tag is its letter
  log_write,     // a batch of the store is durable, or isn't
  open_file,     // a file of the store's is open; slot: which
  move,          // a socket of ours moved away, or didn't
  connect,       // a socket of ours has reached its server, or hasn't
};

/// 8 bits operation, 24 bits generation, 32 bits slot.
struct Tag {
  std::uint64_t bits = 0;

  static constexpr std::uint32_t generation_mask = 0xffffff;

  static constexpr Tag of(Op op, std::uint32_t slot, std::uint32_t generation = 0) {
    return {(static_cast<std::uint64_t>(op) << 56) |
            (static_cast<std::uint64_t>(generation & generation_mask) << 32) | slot};
  }
  /// For what has no slot: 56 bits of the caller's, such as a user-space address.
  static constexpr Tag with_payload(Op op, std::uint64_t payload) {
    return {(static_cast<std::uint64_t>(op) << 56) | (payload & 0xff'ffff'ffff'ffff)};
  }

  constexpr Op op() const { return static_cast<Op>(bits >> 56); }
  constexpr std::uint32_t generation() const {
    return static_cast<std::uint32_t>(bits >> 32) & generation_mask;
  }
  constexpr std::uint32_t slot() const { return static_cast<std::uint32_t>(bits); }
  constexpr std::uint64_t payload() const { return bits & 0xff'ffff'ffff'ffff; }
};

}  // namespace ringroom::reactor
