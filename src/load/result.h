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

/// What one of the plan's phases came to, with all that is done side by side.
struct PhaseResult {
  std::string name;
  double begin_s = 0;  ///< since the warm-up began
  double length_s = 0;
  std::uint32_t open = 0;  ///< connections at its end
  Tally tally{};           ///< of its time; what was sent in the phase before may arrive in it
  Histogram latency{};     ///< of what was meant to leave in it
  std::optional<double> server_cpu_s{};
};

/// What one part of a mix came to.
struct PartResult {
  std::string name;
  Scenario scenario = Scenario::echo;
  std::uint32_t asked = 0;  ///< connections
  std::uint32_t open = 0;
  Tally total{};
  Tally measured{};
  Histogram latency{};
};

struct Result {
  Plan plan;
  std::uint32_t open = 0;  ///< connections when the traffic began, or the most by the phases
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
  std::vector<PhaseResult> phases;
  std::vector<PartResult> parts;  ///< of a mix
  std::vector<Step> steps;        ///< of a game
  std::uint32_t players = 0;      ///< that the server carried
  unsigned server_cores = 1;

  /// A thread of the client, or all of them on their cores together, had no time left: the server
  /// may be faster than this.
  bool is_client_bound() const;
  std::uint64_t errors() const { return total.wrong() + total.lost(); }
  double players_per_core() const { return static_cast<double>(players) / server_cores; }
  /// Messages that the server handled in the measured time, sent and received together; handshakes
  /// where there are none.
  std::uint64_t handled() const;
  std::optional<double> server_cpu_us() const;
  std::optional<double> server_rss() const;
};

/// The number behind a name of metric_names(), of the whole run, or of the phase or the part of a
/// mix of that name; nothing if there is none, as without a server's process.
std::optional<double> metric(const Result& result,
                             const std::string& name,
                             const std::string& scope = {});

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
