// ScenarioFile: what `ringroom load --scenario-file` reads, TOML or JSON of one shape: flags by
// their names, phases, and a mix of scenarios. Put into a plan before and after the flags of the
// command line. The main thread's, before anything runs; as large as the file.
#pragma once

#include <ringroom/json.h>

#include "load/plan.h"

#include <set>
#include <string>

namespace ringroom::load {

class ScenarioFile {
 public:
  static constexpr std::size_t phases_max = 100;
  static constexpr std::size_t parts_max = 100;

  /// Each of these returns what is wrong, "" if nothing.
  std::string read(const std::string& file);
  /// What is outside of phases and mix, before the command line's flags.
  std::string apply_settings(Plan& plan);
  /// Behind those, in a plan with its target: makes phases and mix, and completes the plan. To be
  /// called without a file too.
  std::string arrange(Plan& plan);

  /// "" if the file has none.
  std::string url() const { return content_.value("url", ""); }
  /// The command line has this flag.
  void note_given(const char* flag) { given_.insert(flag); }

 private:
  std::string wrong(const std::string& what) const;
  std::string take_times(Plan& plan) const;
  void take_most(Plan& plan) const;
  std::string take_phases(Plan& plan) const;
  std::string take_level(const json& phase,
                         const char* key,
                         double whole,
                         Phase::Level& level) const;
  std::string make_mix(Plan& plan) const;
  std::string make_part(const json& settings, Plan& part) const;
  std::string check_fit(const Plan& plan) const;

  std::string file_;
  json content_ = json::object();
  json phases_ = json::array();
  json mix_ = json::array();
  std::set<std::string> given_;  // flags that the file or the command line has
};

/// One with comments, for people to begin with.
const char* scenario_example();

/// What expectations name must be in the plan. "" if it is.
std::string check_expectations(const Plan& plan);

}  // namespace ringroom::load
