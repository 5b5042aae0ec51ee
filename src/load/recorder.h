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

  /// What left together and came together, as with many in flight, is put down together.
  void record(std::uint64_t intended_ns, std::uint64_t now_ns) {
    if (intended_ns != intended_ns_ || now_ns != came_ns_) {
      settle();
      intended_ns_ = intended_ns;
      came_ns_ = now_ns;
    }
    ++times_;
  }
  /// What has nothing to do with a time, as the proof at the end that a connection is alive.
  void record_outside(std::uint64_t latency);

  /// All since the last call.
  Histogram take_interval();
  /// Of what was meant to leave in the measured time.
  Histogram measured();
  /// Of what was meant to leave in each phase.
  std::vector<Histogram> phases();

 private:
  void settle();
  std::size_t phase_at(std::uint64_t moment_ns) const;

  // The last ones, in no histogram yet.
  std::uint64_t intended_ns_ = 0;
  std::uint64_t came_ns_ = 0;
  std::uint64_t times_ = 0;

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
