#include "load/expectation.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace ringroom::load {

namespace {

struct Unit {
  std::string_view name;
  double microseconds;
};
constexpr std::array<Unit, 3> units = {{{"us", 1}, {"ms", 1e3}, {"s", 1e6}}};

struct Sign {
  std::string_view text;
  Expectation::Relation relation;
};
// The longer ones first.
constexpr std::array<Sign, 5> signs = {{{"<=", Expectation::Relation::less_or_equal},
                                        {">=", Expectation::Relation::more_or_equal},
                                        {"<", Expectation::Relation::less},
                                        {">", Expectation::Relation::more},
                                        {"=", Expectation::Relation::equal}}};

std::string known_metrics() {
  std::string names;
  for (const MetricName& metric : metric_names()) {
    names += (names.empty() ? "" : " ") + std::string(metric.name);
  }
  return names;
}

const MetricName* find_metric(const std::string& name) {
  const auto& names = metric_names();
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&name](const MetricName& one) { return name == one.name; });
  return found == names.end() ? nullptr : &*found;
}

std::string parse_value(std::string_view text, bool is_duration, double& value) {
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{}) return "has no number behind its sign";
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (!is_duration) return unit.empty() ? "" : "takes a number without a unit";
  const auto* const found = std::find_if(units.begin(), units.end(),
                                         [unit](const Unit& one) { return one.name == unit; });
  if (found == units.end()) return "takes a duration: a number and us, ms or s";
  value *= found->microseconds;
  return {};
}

std::string parse_one(std::string_view text, Expectation& made) {
  made.text = text;
  for (const Sign& sign : signs) {
    const std::size_t at = text.find(sign.text);
    if (at == std::string_view::npos) continue;
    made.metric = text.substr(0, at);
    made.relation = sign.relation;
    const MetricName* known = find_metric(made.metric);
    const std::size_t dot = made.metric.find('.');  // p99.9 has one too
    if (known == nullptr && dot != std::string::npos) {
      made.scope = made.metric.substr(0, dot);
      made.metric.erase(0, dot + 1);
      known = find_metric(made.metric);
    }
    if (known == nullptr) {
      return "names no metric '" + made.metric + "'; there are: " + known_metrics();
    }
    if (known->is_of_all && !made.scope.empty()) {
      return "asks a phase or a part for " + made.metric + ", which only the whole run has";
    }
    return parse_value(text.substr(at + sign.text.size()), known->is_duration, made.value);
  }
  return "has none of < <= > >= =, as in p99<5ms";
}

}  // namespace

const std::vector<MetricName>& metric_names() {
  static const std::vector<MetricName> names = {
      {"p50", "latency", true, false},
      {"p90", "latency", true, false},
      {"p99", "latency", true, false},
      {"p99.9", "latency", true, false},
      {"max", "latency", true, false},
      {"mean", "latency", true, false},
      {"handshake_p99", "TCP connect to 101", true, true},
      {"errors", "faults, and messages lost, twice, late or changed", false, false},
      {"lost", "deliveries that never came", false, false},
      {"duplicated", "deliveries that came twice", false, false},
      {"reordered", "deliveries behind a later one", false, false},
      {"corrupted", "deliveries with a changed byte", false, false},
      {"foreign", "messages of nobody in this run", false, false},
      {"open", "connections when the traffic began, or the most by phases", false, false},
      {"sent_rate", "messages a second", false, false},
      {"received_rate", "deliveries a second", false, false},
      {"handshake_rate", "handshakes a second", false, false},
      {"players", "game: players that the server carried", false, true},
      {"players_per_core", "the same for each of its cores", false, true},
      {"server_cpu", "the server's CPU per message in us", false, false},
      {"server_rss", "the server's bytes per connection", false, true},
  };
  return names;
}

bool Expectation::is_met(double measured) const {
  switch (relation) {
    case Relation::less: return measured < value;
    case Relation::less_or_equal: return measured <= value;
    case Relation::more: return measured > value;
    case Relation::more_or_equal: return measured >= value;
    case Relation::equal: return measured == value;
  }
  return false;
}

base::Parsed<std::vector<Expectation>> parse_expectations(std::string_view text) {
  std::vector<Expectation> made;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    std::string error = parse_one(text.substr(0, comma), made.emplace_back());
    if (!error.empty()) return {{}, std::move(error)};
    if (comma == text.size()) return {std::move(made), {}};
    text.remove_prefix(comma + 1);
  }
}

}  // namespace ringroom::load
