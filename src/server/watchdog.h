// Watchdog: tells the operator of callbacks that hold their shard and don't come back. Owned by the
// server, looked through by the main thread several times a second.
#pragma once

#include "shard/fleet.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ringroom::server {

class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Watchdog(shard::Fleet& fleet) : fleet_(fleet), seen_(fleet.shards()) {}

  /// Logs each callback that has been seen running for longer than Config::slow_callback, once, and
  /// again when it is back; counts it in the shard's statistics.
  void look(Clock::time_point now);

 private:
  // The callback that a shard was in at the last look; sequence 0: none.
  struct Seen {
    std::uint64_t sequence = 0;
    Clock::time_point since;
    std::string reported;  // its label, once it has been
  };
  void report(unsigned shard, Seen& seen);

  shard::Fleet& fleet_;
  std::vector<Seen> seen_;
};

}  // namespace ringroom::server
