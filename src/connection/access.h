// ConnectionAccess: the inner layers' way to a public Connection's private fields. A room keeps its
// members as Connections, so these are the member's data. On the room's shard.
#pragma once

#include "ringroom/connection.h"

#include <cstdint>

namespace ringroom::detail {

struct ConnectionAccess {
  static Host* host(const Connection& connection) { return connection.host_; }
  static std::uint32_t slot(const Connection& connection) { return connection.slot_; }
  static std::uint32_t generation(const Connection& connection) { return connection.generation_; }
  static std::uint32_t& joined(Connection& connection) { return connection.joined_; }
  static bool is_newer(const Connection& a, const Connection& b) {
    return static_cast<std::int32_t>(a.joined_ - b.joined_) > 0;
  }
  static std::uint32_t& log_cursor(Connection& connection) { return connection.log_cursor_; }
  static std::uint32_t& log_turn(Connection& connection) { return connection.log_turn_; }
};

}  // namespace ringroom::detail
