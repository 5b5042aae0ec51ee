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
    const auto& names = metric_names();
    const auto known = std::find_if(names.begin(), names.end(), [&made](const MetricName& one) {
      return made.metric == one.name;
    });
    if (known == names.end()) {
      return "names no metric '" + made.metric + "'; there are: " + known_metrics();
    }
    return parse_value(text.substr(at + sign.text.size()), known->is_duration, made.value);
  }
  return "has none of < <= > >= =, as in p99<5ms";
}

}  // namespace

const std::vector<MetricName>& metric_names() {
  static const std::vector<MetricName> names = {
      {"p50", "latency", true},
      {"p90", "latency", true},
      {"p99", "latency", true},
      {"p99.9", "latency", true},
      {"max", "latency", true},
      {"mean", "latency", true},
      {"handshake_p99", "TCP connect to 101", true},
      {"errors", "faults, and messages lost, twice, late or changed", false},
      {"lost", "deliveries that never came", false},
      {"duplicated", "deliveries that came twice", false},
      {"reordered", "deliveries behind a later one", false},
      {"corrupted", "deliveries with a changed byte", false},
      {"foreign", "messages of nobody in this run", false},
      {"open", "connections when the traffic began", false},
      {"sent_rate", "messages a second", false},
      {"received_rate", "deliveries a second", false},
      {"handshake_rate", "handshakes a second", false},
      {"players", "game: players that the server carried", false},
      {"players_per_core", "the same for each of its cores", false},
      {"server_cpu", "the server's CPU per message in us", false},
      {"server_rss", "the server's bytes per connection", false},
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
