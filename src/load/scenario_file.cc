#include "load/scenario_file.h"

#include "base/values.h"
#include "load/complete.h"
#include "load/flags.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

#include <toml++/toml.h>

namespace ringroom::load {

namespace {

constexpr const char* phase_keys = "name, duration, rate and connections";
constexpr const char* part_keys = "name, share, path and the flags of scenario and load";

// The body is JSON either way. Returns what is wrong.
std::string parse_toml(const std::string& file, json& content) {
  try {
    std::ostringstream text;
    text << toml::json_formatter(toml::parse_file(file));
    content = json::parse(text.str());
  } catch (const toml::parse_error& error) {
    const auto line = error.source().begin.line;
    return (line == 0 ? "" : "line " + std::to_string(line) + ": ") +
           std::string(error.description());
  }
  return {};
}

std::string parse_json(const std::string& file, json& content) {
  std::ifstream stream(file);
  if (!stream) return "can't be read";
  try {
    content = json::parse(stream);
  } catch (const json::parse_error& error) {
    const std::string what = error.what();
    return what.substr(std::min(what.find("parse error"), what.size()));
  }
  return {};
}

bool is_list_of_tables(const json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const json& one) { return one.is_object(); });
}

const Flag* find_flag(const std::string& name) {
  const auto found = std::find_if(flags().begin(), flags().end(),
                                  [&name](const Flag& flag) { return name == flag.name; });
  return found == flags().end() ? nullptr : &*found;
}

std::string known_settings() {
  std::string names = "url, phase, mix";
  for (const Flag& flag : flags()) names += ", " + std::string(flag.name);
  return names;
}

std::string apply_text(const Flag& flag, const json& value, Plan& plan) {
  if (!value.is_string() && !value.is_number()) {
    return std::string(flag.name) + " must be a string or a number";
  }
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  const std::string error = flag.apply(plan, text);
  return error.empty() ? "" : std::string(flag.name) + ": '" + text + "' " + error;
}

std::string apply_value(const Flag& flag, const json& value, Plan& plan) {
  if (flag.value == nullptr) {
    if (!value.is_boolean()) return std::string(flag.name) + " must be true or false";
    return value.get<bool>() ? flag.apply(plan, {}) : "";
  }
  if (!value.is_array()) return apply_text(flag, value, plan);
  if (!flag.repeatable) return std::string(flag.name) + " takes one value, no list";
  for (const json& one : value) {
    std::string error = apply_text(flag, one, plan);
    if (!error.empty()) return error;
  }
  return {};
}

// As results and expectations name a phase or a part: "spike.p99<5ms".
std::string check_name(const std::string& name, std::set<std::string>& names) {
  const bool is_good = !name.empty() && std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
  });
  if (!is_good) return "'" + name + "' is no name: use letters, digits, - and _";
  return names.insert(name).second ? "" : "there are two of the name '" + name + "'";
}

std::string title(const char* kind, std::size_t number, const json& settings) {
  const json name = settings.value("name", json());
  return std::string(kind) + " " +
         (name.is_string() ? "'" + name.get<std::string>() + "'" : std::to_string(number + 1)) +
         ": ";
}

// The largest that is written as a number, not as a part of something.
double largest_number(const json& phases, const char* key) {
  double most = 0;
  for (const json& phase : phases) {
    const json value = phase.value(key, json());
    for (const json& one : value.is_array() ? value : json::array({value})) {
      if (one.is_number()) most = std::max(most, one.get<double>());
    }
  }
  return most;
}

bool has_numbers(const json& phases, const char* key) {
  return largest_number(phases, key) > 0;
}

bool has_key(const json& phases, const char* key) {
  return std::any_of(phases.begin(), phases.end(),
                     [key](const json& phase) { return phase.contains(key); });
}

// A number of the whole, or "150%" of it.
bool read_level(const json& value, double whole, double& level) {
  if (value.is_number()) {
    level = value.get<double>() / whole;
    return whole > 0 && level >= 0;
  }
  if (!value.is_string()) return false;
  const auto text = value.get<std::string>();
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, level);
  level /= 100;
  return failure == std::errc{} && end - rest == 1 && *rest == '%' && level >= 0;
}

}  // namespace

std::string ScenarioFile::wrong(const std::string& what) const {
  return what.empty() || file_.empty() ? what : file_ + ": " + what;
}

std::string ScenarioFile::read(const std::string& file) {
  file_ = file;
  std::string error;
  if (file.ends_with(".toml")) {
    error = parse_toml(file, content_);
  } else if (file.ends_with(".json")) {
    error = parse_json(file, content_);
  } else {
    error = "is neither .toml nor .json";
  }
  if (!error.empty()) return wrong(error);
  if (!content_.is_object()) return wrong("is no table of settings");
  for (const auto& [key, list] : {std::pair("phase", &phases_), std::pair("mix", &mix_)}) {
    if (!content_.contains(key)) continue;
    *list = content_[key];
    if (!is_list_of_tables(*list)) {
      return wrong(std::string(key) + " must be a list of tables: [[" + key + "]] in TOML");
    }
    content_.erase(key);
  }
  if (phases_.size() > phases_max || mix_.size() > parts_max)
    return wrong("has more than 100 parts");
  for (const auto& [key, value] : content_.items()) given_.insert(key);
  return {};
}

std::string ScenarioFile::apply_settings(Plan& plan) {
  for (const auto& [key, value] : content_.items()) {
    if (key == "url") {
      if (!value.is_string()) return wrong("url must be a string");
      continue;
    }
    const Flag* flag = find_flag(key);
    if (flag == nullptr) {
      return wrong("'" + key + "' is no setting; there are: " + known_settings());
    }
    std::string error = apply_value(*flag, value, plan);
    if (!error.empty()) return wrong(error);
  }
  return {};
}

std::string ScenarioFile::arrange(Plan& plan) {
  std::string error = take_times(plan);
  if (error.empty()) {
    if (mix_.empty()) {
      take_most(plan);
      error = complete(plan, {.has_rooms = given_.contains("rooms"), .has_share = false});
    } else {
      error = make_mix(plan);
    }
  }
  if (error.empty()) error = take_phases(plan);
  for (Plan& part : plan.mix) part.phases = plan.phases;
  if (error.empty()) error = check_expectations(plan);
  return wrong(error);
}

// Names and lengths; how much is done in them follows when the plan is complete.
std::string ScenarioFile::take_times(Plan& plan) const {
  if (phases_.empty()) return {};
  if (given_.contains("duration")) return "duration is that of the phases together: leave it out";
  if (plan.scenario == Scenario::game || plan.scenario == Scenario::replay) {
    return "phases are not of game and replay, which have a course of their own";
  }
  plan.duration_ns = 0;
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    const json& settings = phases_[i];
    const std::string where = title("phase", i, settings);
    for (const auto& [key, value] : settings.items()) {
      if (key == "rate" || key == "connections") continue;
      if (key != "name" && key != "duration") {
        return where + "'" + key + "' is none of its keys: " + phase_keys;
      }
      if (!value.is_string()) return where + key + " must be a string";
    }
    const auto length = base::parse_duration(settings.value("duration", ""));
    if (!length.value) return where + "duration " + length.error;
    if (length.value->count() < 100) return where + "duration must be at least 100ms";
    Phase& phase = plan.phases.emplace_back();
    phase.name = settings.value("name", "phase-" + std::to_string(i + 1));
    phase.length_ns = static_cast<std::uint64_t>(length.value->count()) * 1'000'000U;
    plan.duration_ns += phase.length_ns;
  }
  return {};
}

// Where phases alone say how much: the most of them is the plan's.
void ScenarioFile::take_most(Plan& plan) const {
  if (plan.rate == 0 && plan.rate_each == 0 && plan.scenario != Scenario::device) {
    plan.rate = largest_number(phases_, "rate");
  }
  const double connections = largest_number(phases_, "connections");
  const bool may = !given_.contains("connections") && connections >= 1 && connections <= 1e8;
  if (may) plan.connections = static_cast<std::uint32_t>(connections);
}

std::string ScenarioFile::take_phases(Plan& plan) const {
  std::set<std::string> names;
  for (const Plan& part : plan.mix) names.insert(part.name);
  double rate = 0;
  bool has_each = false;
  for (const Plan& part : plan.parts()) {
    if (part.follows_rate()) rate += part.rate;
    has_each = has_each || part.rate_each > 0;
  }
  if (rate == 0 && has_key(phases_, "rate")) {
    return "phases have a rate, but nothing is sent at one: give a rate or rate-each";
  }
  if (has_each && has_numbers(phases_, "rate")) {
    return "beside rate-each, the rate of a phase is written as a part of it, such as \"150%\"";
  }
  Phase::Level rate_before{};
  Phase::Level connections_before{};
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    Phase& phase = plan.phases[i];
    const std::string where = title("phase", i, phases_[i]);
    std::string error = check_name(phase.name, names);
    phase.rate = {rate_before.end, rate_before.end};
    phase.connections = {connections_before.end, connections_before.end};
    if (error.empty()) error = take_level(phases_[i], "rate", rate, phase.rate);
    if (error.empty()) {
      error = take_level(phases_[i], "connections", plan.connections, phase.connections);
    }
    if (!error.empty()) return where + error;
    if (std::max(phase.connections.begin, phase.connections.end) > 1) {
      return where + "connections can't be more than there are, " + base::grouped(plan.connections);
    }
    rate_before = phase.rate;
    connections_before = phase.connections;
  }
  return check_fit(plan);
}

std::string ScenarioFile::take_level(const json& phase,
                                     const char* key,
                                     double whole,
                                     Phase::Level& level) const {
  if (!phase.contains(key)) return {};
  const json& value = phase.at(key);
  const json ends = value.is_array() ? value : json::array({value, value});
  if (ends.size() == 2 && read_level(ends[0], whole, level.begin) &&
      read_level(ends[1], whole, level.end)) {
    return {};
  }
  return std::string(key) + " must be a number, a part such as \"50%\", or a list of two such: " +
         "from where to where";
}

std::string ScenarioFile::check_fit(const Plan& plan) const {
  if (!has_key(phases_, "connections")) return {};
  const auto parts = plan.parts();
  const bool fits = std::any_of(parts.begin(), parts.end(), [](const Plan& part) {
    return part.scenario != Scenario::connect && part.scenario != Scenario::storm;
  });
  return fits ? "" : "phases can't set the connections of connect and storm";
}

std::string ScenarioFile::make_mix(Plan& plan) const {
  std::vector<Plan> parts;
  std::set<std::string> names;
  std::uint64_t connections = 0;
  double rate = 0;
  double shares = 0;
  for (std::size_t i = 0; i < mix_.size(); ++i) {
    Plan& part = parts.emplace_back(plan);
    part.first_index = static_cast<std::uint32_t>(connections);
    std::string error = make_part(mix_[i], part);
    if (error.empty()) error = check_name(part.name, names);
    if (!error.empty()) return title("mix", i, mix_[i]) + error;
    connections += part.connections;
    if (part.follows_rate()) rate += part.rate;
    shares += mix_[i].value("share", 0.0);
  }
  if (shares > 100.001) return "the shares of the mix are more than 100 together";
  if (connections > 100'000'000) return "the mix has too many connections";
  plan.mix = std::move(parts);
  plan.connections = static_cast<std::uint32_t>(connections);
  plan.rate = rate;
  return {};
}

std::string ScenarioFile::make_part(const json& settings, Plan& part) const {
  const std::string url = part.target.url;
  for (const auto& [key, value] : settings.items()) {
    if (key == "share") {
      const bool is_good = value.is_number() && value > 0 && value <= 100;
      if (!is_good) return "share must be a number of percent, such as 80";
      const double connections = part.connections * value.get<double>() / 100;
      part.connections = static_cast<std::uint32_t>(std::max(std::lround(connections), 1L));
      continue;
    }
    if (key == "name" || key == "path") {
      if (!value.is_string()) return key + " must be a string";
      continue;
    }
    const Flag* flag = find_flag(key);
    if (flag == nullptr || !flag->is_of_part()) {
      return "'" + key + "' is none of its keys: " + part_keys;
    }
    std::string error = apply_value(*flag, value, part);
    if (!error.empty()) return error;
  }
  part.name = settings.value("name", name_of(part.scenario));
  if (part.scenario == Scenario::game || part.scenario == Scenario::replay) {
    return "game and replay are no part of a mix, as they have a course of their own";
  }
  if (settings.contains("share") + settings.contains("connections") + settings.contains("rooms") !=
      1) {
    return "needs one of share, connections and rooms";
  }
  if (const std::string path = settings.value("path", ""); !path.empty()) {
    const std::size_t scheme = url.find("//") + 2;
    base::Parsed<Target> target =
        parse_target(url.substr(0, url.find_first_of("/?", scheme)) + path);
    if (!target.value || path.front() != '/') return "path '" + path + "' is no path, such as /x";
    target.value->headers = part.target.headers;
    part.target = std::move(*target.value);
  }
  return complete(
      part, {.has_rooms = settings.contains("rooms"), .has_share = !settings.contains("rooms")});
}

std::string check_expectations(const Plan& plan) {
  for (const Expectation& one : plan.expectations) {
    if (one.scope.empty()) continue;
    const auto is_meant = [&one](const auto& named) { return named.name == one.scope; };
    const bool is_phase = std::any_of(plan.phases.begin(), plan.phases.end(), is_meant);
    if (!is_phase && !std::any_of(plan.mix.begin(), plan.mix.end(), is_meant)) {
      return "'" + one.text + "' is of a phase or part '" + one.scope + "', and there is none";
    }
    if (is_phase && one.metric == "lost") {
      return "'" + one.text + "': what a phase lost can't be told, as it may arrive in the next";
    }
  }
  return {};
}

}  // namespace ringroom::load
