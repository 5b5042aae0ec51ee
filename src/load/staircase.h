// Staircase: the scenario `game`, seen from the main thread: each step has more players than the
// one before. A step with a fault ends the run, and so do two in a row that were late: one alone
// may be the machine that stood still, which the next, with more players, tells. A step's first
// third is for connecting, the rest counts. The main thread's; one entry for each step.
#pragma once

#include "load/histogram.h"
#include "load/machine.h"
#include "load/tally.h"

#include <cstdint>
#include <vector>

namespace ringroom::load {

struct Step {
  std::uint32_t players = 0;
  std::uint64_t p50_ns = 0;
  std::uint64_t p99_ns = 0;
  std::uint64_t max_ns = 0;
  double received_rate = 0;  ///< frames a second
  std::uint64_t faults = 0;
  double client_use = 0;  ///< of its busiest thread
  double server_use = 0;  ///< cores; 0 without its process
  bool is_carried = false;
};

class Staircase {
 public:
  /// Thirds of a step, each one interval of the threads.
  static constexpr unsigned parts = 3;

  explicit Staircase(std::uint64_t p99_max_ns) : p99_max_ns_(p99_max_ns) {}

  /// What all threads saw in one third.
  struct Part {
    std::uint32_t open = 0;
    double length_s = 0;
    Tally tally;
    double client_use = 0;
    double server_cpu_ns = 0;  ///< so far
  };
  /// In order. False: the step that ended with it is more than the server carries; the run may end.
  bool add(const Part& part, const Histogram& latency);

  const std::vector<Step>& steps() const { return steps_; }
  /// Of the last step that was carried; 0 if none was.
  std::uint32_t players() const;

 private:
  std::uint64_t p99_max_ns_;
  unsigned part_ = 0;
  unsigned late_in_a_row_ = 0;
  std::vector<Step> steps_;
  Step step_;
  Histogram latency_;
  double length_s_ = 0;
  std::uint64_t received_ = 0;
  double cpu_at_begin_ns_ = 0;
};

}  // namespace ringroom::load
