// Recorder: where the plays of one thread put latencies: by the phase in which a message was meant
// to leave, and by the interval in which it came, which the main thread gets to show. Of that
// thread; three histograms and one for each phase.
#pragma once

#include "load/histogram.h"
#include "load/play.h"

#include <cstdint>
#include <vector>

namespace ringroom::load {

class Recorder {
 public:
  Times times;
  std::uint64_t lag_max_ns = 0;  ///< how much later than meant the client sent

  /// When the phases end, one after the other from times.measure_ns on; one at least.
  void set_phases(std::vector<std::uint64_t> ends_ns);
  /// The phase of this moment is what most messages belong to from here on.
  void move_to(std::uint64_t now_ns);

  void record(std::uint64_t intended_ns, std::uint64_t now_ns) {
    const std::uint64_t latency = now_ns > intended_ns ? now_ns - intended_ns : 0;
    if (intended_ns - phase_begin_ns_ < phase_ns_) [[likely]] {
      current_.add(latency);
    } else {
      record_elsewhere(intended_ns, latency);
    }
  }
  /// What has nothing to do with a time, as the proof at the end that a connection is alive.
  void record_outside(std::uint64_t latency);

  /// All since the last call.
  Histogram take_interval();
  /// Of what was meant to leave in the measured time.
  Histogram measured() const;
  /// Of what was meant to leave in each phase.
  std::vector<Histogram> phases() const;

 private:
  void record_elsewhere(std::uint64_t intended_ns, std::uint64_t latency);
  std::size_t phase_at(std::uint64_t moment_ns) const;

  std::vector<std::uint64_t> ends_ns_;
  std::vector<Histogram> phases_;
  std::size_t phase_ = 0;
  std::uint64_t phase_begin_ns_ = 0;
  std::uint64_t phase_ns_ = 0;  // 0: it is not the time of any
  Histogram current_;           // of this phase and this interval, in neither of the others yet
  Histogram others_;            // of this interval
  Histogram outside_;
};

}  // namespace ringroom::load
