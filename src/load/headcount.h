// Headcount: how many rooms of a crowd take part while that changes by the phases: opens their
// connections as more are wanted, closes them as fewer are. A room takes part when all its
// connections are open or have failed, and is closed when nothing is under way in it any more. Of
// the thread of its crowd and play, which outlive it; 8 bytes for each room.
#pragma once

#include "load/crowd.h"
#include "load/play.h"

#include <cstdint>
#include <vector>

namespace ringroom::load {

struct HeadcountOptions {
  std::uint32_t members = 1;           ///< connections of a room, which the crowd has one by one
  std::uint32_t connecting_max = 128;  ///< handshakes at the same time
  std::uint64_t patience_ns = 0;       ///< how long a room waits for what is under way
};

class Headcount {
 public:
  Headcount(Crowd& crowd, Play& play, const HeadcountOptions& options);

  /// This many rooms are wanted now; to be called again, every turn.
  void want(std::uint32_t rooms, std::uint64_t now_ns);
  /// So many take part, and no other has a connection.
  bool is_settled(std::uint32_t rooms) const {
    return active_ == rooms && opened_ == rooms * options_.members;
  }

 private:
  void open(std::uint32_t rooms);
  void close(std::uint32_t rooms, std::uint64_t now_ns);
  std::uint32_t count_ready(std::uint32_t rooms) const;
  bool is_ready(std::uint32_t room) const;

  Crowd& crowd_;
  Play& play_;
  HeadcountOptions options_;
  std::uint32_t opened_ = 0;  // clients, the first of the crowd
  std::uint32_t active_ = 0;  // rooms that take part
  std::vector<std::uint64_t> retired_ns_;
};

}  // namespace ringroom::load
