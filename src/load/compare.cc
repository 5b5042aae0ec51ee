#include "load/compare.h"

#include "load/readable.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

namespace ringroom::load {

namespace {

struct Row {
  const char* title;
  const char* pointer;  // into a result
  const char* moments;  // of the time line's points, to see how it varies; nullptr: unknown
  bool is_duration;
};

constexpr std::array<Row, 12> rows = {{
    {"sent a second", "/sent_rate", "sent_rate", false},
    {"received a second", "/received_rate", "received_rate", false},
    {"handshakes a second", "/handshake_rate", "handshake_rate", false},
    {"latency p50", "/latency_us/p50", "p50", true},
    {"latency p90", "/latency_us/p90", nullptr, true},
    {"latency p99", "/latency_us/p99", "p99", true},
    {"latency p99.9", "/latency_us/p99.9", nullptr, true},
    {"latency max", "/latency_us/max", "max", true},
    {"handshake p99", "/handshake_us/p99", nullptr, true},
    {"server CPU us/message", "/server/cpu_us_per_message", nullptr, false},
    {"server bytes/connection", "/server/rss_per_connection", nullptr, false},
    {"errors", "/errors", nullptr, false},
}};

std::optional<double> number_at(const json& result, const char* pointer) {
  const json::json_pointer place(pointer);
  if (!result.contains(place) || !result.at(place).is_number()) return std::nullopt;
  return result.at(place).get<double>();
}

// Half the distance between the quartiles of a run's intervals, as a part of their median.
double spread(const json& result, const char* name) {
  std::vector<double> values;
  const double warm_up = result.value("/plan/warm_up_s"_json_pointer, 0.0);
  const double end = warm_up + result.value("/plan/duration_s"_json_pointer, 0.0);
  for (const json& moment : result.value("time_line", json::array())) {
    const double at = moment.value("at_s", 0.0);
    if (at >= warm_up && at < end) values.push_back(moment.value(name, 0.0));
  }
  if (values.size() < 4) return 0;
  std::sort(values.begin(), values.end());
  const double median = values[values.size() / 2];
  if (median == 0) return 0;
  return (values[values.size() * 3 / 4] - values[values.size() / 4]) / 2 / median;
}

std::string written(double value, bool is_duration) {
  return is_duration ? readable_us(value) : readable(value);
}

std::string row_text(const Row& row, const json& first, const json& second) {
  const std::optional<double> a = number_at(first, row.pointer);
  const std::optional<double> b = number_at(second, row.pointer);
  if (!a || !b || (*a == 0 && *b == 0)) return {};
  std::string ratio = "-";
  std::string noise = "";
  if (*a != 0) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f", *b / *a);
    ratio = text.data();
    if (row.moments != nullptr) {
      const double around = std::max(spread(first, row.moments), spread(second, row.moments));
      std::snprintf(text.data(), text.size(), "+-%.1f %%", around * 100);
      noise = text.data();
      if (std::abs(*b / *a - 1) <= around) noise += "  no difference";
    }
  }
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "%-24s %14s %14s %8s  %s\n", row.title,
                written(*a, row.is_duration).c_str(), written(*b, row.is_duration).c_str(),
                ratio.c_str(), noise.c_str());
  return text.data();
}

std::string name_of_run(const json& result) {
  const std::string label = result.value("label", "");
  const std::string where = result.value("scenario", "") + " " + result.value("url", "");
  return label.empty() ? where : label + " (" + where + ")";
}

}  // namespace

std::string compare(const json& first, const json& second) {
  std::string text = "A: " + name_of_run(first) + "\nB: " + name_of_run(second) + "\n";
  if (first.value("plan", json()) != second.value("plan", json())) {
    text += "The two runs did not do the same: their plans differ.\n";
  }
  for (const json* result : {&first, &second}) {
    if (!result->value("/client/is_bottleneck"_json_pointer, false)) continue;
    text += std::string(result == &first ? "A" : "B") + ": the client was the bottleneck.\n";
  }
  std::array<char, 160> head{};
  std::snprintf(head.data(), head.size(), "%-24s %14s %14s %8s  %s\n", "", "A", "B", "B / A",
                "noise within the runs");
  text += head.data();
  for (const Row& row : rows) text += row_text(row, first, second);
  return text;
}

}  // namespace ringroom::load
