// Result: what a run came to, made by the main thread after all threads have ended, and its forms:
// JSON for machines, a summary for people, numbers for expectations. A value.
#pragma once

#include <ringroom/json.h>

#include "load/histogram.h"
#include "load/machine.h"
#include "load/plan.h"
#include "load/staircase.h"
#include "load/tally.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ringroom::load {

/// One point of the time line.
struct Moment {
  double at_s = 0;  ///< since the warm-up began
  double length_s = 0;
  std::uint32_t open = 0;
  Tally tally;
  std::uint64_t p50_ns = 0;
  std::uint64_t p99_ns = 0;
  std::uint64_t max_ns = 0;
};

struct Result {
  Plan plan;
  std::uint32_t open = 0;  ///< connections when the traffic began
  double open_s = 0;       ///< how long opening them took
  Tally total;             ///< of the whole run, checks and faults
  Tally measured;          ///< of the measured time
  double measured_s = 0;
  Histogram latency;
  Histogram handshake;
  FaultExamples examples;
  double lag_max_us = 0;
  std::vector<double> client_use;  ///< CPU of each thread in the measured time, 1 is a core
  double client_cpu_s = 0;         ///< of all
  unsigned client_cores = 1;       ///< that they may run on
  std::optional<double> server_cpu_s;
  ServerUse server_before;  ///< any connection
  ServerUse server_connected;
  ServerUse server_after;
  std::vector<Moment> moments;
  std::vector<Step> steps;    ///< of a game
  std::uint32_t players = 0;  ///< that the server carried
  unsigned server_cores = 1;

  /// A thread of the client, or all of them on their cores together, had no time left: the server
  /// may be faster than this.
  bool is_client_bound() const;
  std::uint64_t errors() const;
  double players_per_core() const { return static_cast<double>(players) / server_cores; }
  /// Messages that the server handled in the measured time, sent and received together; handshakes
  /// where there are none.
  std::uint64_t handled() const;
  std::optional<double> server_cpu_us() const;
  std::optional<double> server_rss() const;
};

/// The number behind a name of metric_names(); nothing if this run has none, as without a server's
/// process.
std::optional<double> metric(const Result& result, const std::string& name);

json to_json(const Result& result);
std::string summary(const Result& result);

/// What the expectations made of it, a line each, and whether all are met. One without a number to
/// compare isn't.
struct Judgement {
  std::string text;
  bool is_met = true;
};
Judgement judge(const Result& result);

}  // namespace ringroom::load
