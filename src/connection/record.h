// Record: what is kept of a connection for as long as it is connected, asleep or awake. 48 bytes
// in the slab, at the index of its direct descriptor; no pointer in it, so that another process can
// map the slab and go on. On its shard's thread; written by the Hub.
#pragma once

#include <cstdint>

namespace ringroom::connection {

inline constexpr std::uint32_t none = UINT32_MAX;

enum class Stage : std::uint8_t {
  free,       // no connection
  http,       // speaks HTTP, or nothing yet
  open,       // a WebSocket
  closing,    // we sent our close frame and wait for the peer's
  finishing,  // all is said; closed as soon as the outbox is empty
  lingering,  // our direction is shut; what still comes is thrown away until the peer closes
  leaving,    // being moved to another shard
  shutting,   // the descriptor is being closed
};

/// Bits of Record::flags.
namespace flag {
inline constexpr std::uint16_t deflate = 1U << 0;            // permessage-deflate was negotiated
inline constexpr std::uint16_t receiving = 1U << 1;          // a receive is with the kernel
inline constexpr std::uint16_t cancelling = 1U << 2;         // and was asked to end
inline constexpr std::uint16_t paused = 1U << 3;             // not read from: its outbox is full
inline constexpr std::uint16_t batch_flat = 1U << 4;         // envelopes of FlatBuffers
inline constexpr std::uint16_t dirty = 1U << 5;              // has frames of this turn
inline constexpr std::uint16_t was_full = 1U << 6;           // on_drain is due when it empties
inline constexpr std::uint16_t ping_sent = 1U << 7;          // a keep-alive ping is unanswered
inline constexpr std::uint16_t shut_after_output = 1U << 8;  // finishing goes on to lingering
inline constexpr std::uint16_t unfinished = 1U << 9;  // has received bytes that wait for a turn
inline constexpr std::uint16_t ended = 1U << 10;      // the FIN came behind input that waits
inline constexpr std::uint16_t receiving_once = 1U << 11;  // the receive is a single-shot one
inline constexpr std::uint16_t parked = 1U << 12;          // it is a poll: the agent sleeps
inline constexpr std::uint16_t protocol = 1U << 13;        // gets the frames of the Agents protocol
inline constexpr std::uint16_t readonly = 1U << 14;        // may not change its room's state
inline constexpr std::uint16_t batch_json = 1U << 15;      // envelopes of JSON
inline constexpr std::uint16_t batched = batch_flat | batch_json;
/// What stays as it is for as long as the connection lives; under its seal.
inline constexpr std::uint16_t lasting = deflate | protocol | readonly | batched;
}  // namespace flag

struct Record {
  std::uint32_t generation = 0;  // 24 bits; a handle with another one is stale
  Stage stage = Stage::free;
  std::uint8_t window_bits : 4 = 15;      // of our direction, with flag::deflate
  std::uint8_t is_shutting_down : 1 = 0;  // a shutdown is with the kernel
  std::uint16_t flags = 0;
  std::uint32_t room = none;           // the room's index on this shard
  std::uint32_t member = none;         // the index among the room's members
  std::uint32_t active = none;         // the Active of a connection that isn't quiet
  std::uint32_t details = none;        // blob: id, URI, tags
  std::uint32_t state = none;          // blob: connection state, JSON text
  std::uint32_t attachment = none;     // blob: the agent's bytes
  std::uint32_t heard_ms = 0;          // when bytes last came, on the shard's clock, modulo 2^32
  std::uint32_t seal = 0;              // of a parked connection: what checksum() gives
  std::uint64_t auto_response_ms = 0;  // when one was last answered

  bool has(std::uint16_t bits) const { return (flags & bits) != 0; }
  void set(std::uint16_t bits) { flags = static_cast<std::uint16_t>(flags | bits); }
  void clear(std::uint16_t bits) { flags = static_cast<std::uint16_t>(flags & ~bits); }
};

static_assert(sizeof(Record) == 48);

/// Over what makes a parked connection: generation, stage, compression, lasting flags, blobs and
/// the time of its last automatic answer; never 0. Whoever maps a slab that a crash left behind
/// takes over records whose seal fits, and no others.
std::uint32_t checksum(const Record& record);

}  // namespace ringroom::connection
