// Calendar: when devices are meant to speak: each once in every period, from a moment of its own,
// and each time late by chance, without drifting. Beside Schedule, the other way to lead an
// open loop. 24 bytes for each device; one thread.
#pragma once

#include "base/random.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ringroom::load {

class Calendar {
 public:
  /// `devices` that speak every `period_ns` from `begin_ns` on, each time up to `jitter` (0 to 1)
  /// of a period late.
  Calendar(std::uint64_t begin_ns,
           std::uint64_t period_ns,
           double jitter,
           std::uint32_t devices,
           base::Random random)
      : period_ns_(period_ns), jitter_(jitter), random_(random) {
    due_.reserve(devices);
    for (std::uint32_t device = 0; device < devices; ++device) {
      const auto first = begin_ns + static_cast<std::uint64_t>(chance() * double_of(period_ns));
      due_.push_back({late(first), first, device});
    }
    std::make_heap(due_.begin(), due_.end(), later);
  }

  /// When the next one is due.
  std::uint64_t next_ns() const { return due_.front().ns; }
  /// Which device that is.
  std::uint64_t turn() const { return due_.front().device; }
  void take() {
    std::pop_heap(due_.begin(), due_.end(), later);
    Due& due = due_.back();
    due.even_ns += period_ns_;
    due.ns = late(due.even_ns);
    std::push_heap(due_.begin(), due_.end(), later);
  }

 private:
  struct Due {
    std::uint64_t ns;
    std::uint64_t even_ns;  // without the jitter
    std::uint32_t device;
  };
  static bool later(const Due& left, const Due& right) { return left.ns > right.ns; }
  static double double_of(std::uint64_t ns) { return static_cast<double>(ns); }
  double chance() { return static_cast<double>(random_.next() >> 11U) * 0x1p-53; }
  std::uint64_t late(std::uint64_t even_ns) {
    return even_ns + static_cast<std::uint64_t>(chance() * jitter_ * double_of(period_ns_));
  }

  std::uint64_t period_ns_;
  double jitter_;
  base::Random random_;
  std::vector<Due> due_;
};

}  // namespace ringroom::load
