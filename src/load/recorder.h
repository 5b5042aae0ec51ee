// Recorder: where the plays of one thread put latencies: those that count, and those of the current
// interval, which the main thread gets to show. Of that thread; two histograms.
#pragma once

#include "load/histogram.h"
#include "load/play.h"

#include <cstdint>

namespace ringroom::load {

struct Recorder {
  Times times;
  Histogram measured;            ///< of what was meant to leave in the measured time
  Histogram interval;            ///< of what has come since the interval began
  std::uint64_t lag_max_ns = 0;  ///< how much later than meant the client sent

  void record(std::uint64_t intended_ns, std::uint64_t now_ns) {
    const std::uint64_t latency = now_ns > intended_ns ? now_ns - intended_ns : 0;
    interval.add(latency);
    if (times.measures(intended_ns)) measured.add(latency);
  }
};

}  // namespace ringroom::load
