// Expectation: a condition that a run's result must meet, as `--expect 'p99<5ms,errors=0'` says it,
// for CI. Values and pure functions: any thread.
#pragma once

#include "base/values.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::load {

struct Expectation {
  enum class Relation : std::uint8_t { less, less_or_equal, more, more_or_equal, equal };

  std::string text;    ///< as it was written
  std::string scope;   ///< the phase or part of a mix that is meant; empty: the whole run
  std::string metric;  ///< one of metric_names()
  Relation relation = Relation::equal;
  double value = 0;  ///< durations in microseconds

  bool is_met(double measured) const;
};

/// What can be expected of, with a phrase for the help each.
struct MetricName {
  const char* name;
  const char* what;
  bool is_duration;
  bool is_of_all;  ///< the whole run alone has it, and no phase or part of a mix
};
const std::vector<MetricName>& metric_names();

/// One or more, with commas between: [SCOPE.]METRIC, a sign, a value.
base::Parsed<std::vector<Expectation>> parse_expectations(std::string_view text);

}  // namespace ringroom::load
