// Schedule: when the messages of an open loop are meant to leave: evenly spaced, whatever the
// server does. A latency counts from these moments, so a server that stalls is charged for all that
// should have left meanwhile (no coordinated omission). A value; pure arithmetic.
#pragma once

#include <cstdint>

namespace ringroom::load {

class Schedule {
 public:
  /// `rate` messages a second from `begin_ns` on, the first `phase` (0 to 1) of a gap later.
  Schedule(std::uint64_t begin_ns, double rate, double phase)
      : begin_ns_(begin_ns), gap_ns_(1e9 / rate), phase_(phase) {}

  /// When the next one is due.
  std::uint64_t next_ns() const {
    // From the count, as adding up a rounded gap would drift.
    return begin_ns_ + static_cast<std::uint64_t>((static_cast<double>(taken_) + phase_) * gap_ns_);
  }
  /// Its number, from 0.
  std::uint64_t turn() const { return taken_; }
  void take() { ++taken_; }

 private:
  std::uint64_t begin_ns_;
  double gap_ns_;
  double phase_;
  std::uint64_t taken_ = 0;
};

}  // namespace ringroom::load
