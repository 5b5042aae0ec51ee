// Group: the connections of one room, dense. Owned by its room; on the room's shard. Members come
// and go between callbacks only, so a Connection& stays good until a callback returns. Bounded by
// --room-connections-max.
#pragma once

#include "connection/access.h"
#include "connection/record.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringroom::connection {

/// A Connection that its room's array may make and move.
class Member final : public Connection {
 public:
  Member(detail::Host* host, std::uint32_t slot, std::uint32_t generation)
      : Connection(host, slot, generation) {}
  Member(Member&&) = default;
  Member& operator=(Member&&) = default;
};

struct Group {
  std::vector<Member> members;
  std::uint32_t open = 0;           // members in Stage::open
  std::uint32_t broadcasts = none;  // its Broadcasts, unless it is quiet
  std::uint64_t bytes_sent = 0;     // to all members since the room was made
  std::uint64_t gate = 0;           // what it says waits for this batch; see Hub::close_gate
};

/// What a room has only while something it sent to all is under way. Each broadcast of a turn is
/// encoded once behind the last one; a member needs one send of the part it hasn't got. In the
/// Hub's pool.
struct Broadcasts {
  // The frames of this turn, in the Hub's arena.
  std::byte* log = nullptr;
  std::uint32_t log_bytes = 0;
  std::uint32_t log_capacity = 0;

  // Slots of members whose client doesn't take what we send: served one by one, by copies.
  std::vector<std::uint32_t> slow;

  bool quiet() const { return log == nullptr && slow.empty(); }
};

}  // namespace ringroom::connection
