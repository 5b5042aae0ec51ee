#include "load/html.h"

#include "load/plot.h"
#include "load/readable.h"

#include <cmath>

namespace ringroom::load {

namespace {

constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #1c2024; --quiet: #60646c; --line: #d9d9e0; --page: #fff;
  --s0: #0b68cb; --s1: #d6409f; --s2: #b45309; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --quiet: #b0b4ba; --line: #363a3f;
  --page: #111113; --s0: #70b8ff; --s1: #ff8dcc; --s2: #ffc53d; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 760px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; margin-bottom: 0; overflow-wrap: anywhere; }
p.what { color: var(--quiet); margin-top: .2em; overflow-wrap: anywhere; }
p.note { border-left: 3px solid var(--s2); padding-left: .8em; }
table { border-collapse: collapse; width: 100%; margin: 1em 0; }
th, td { text-align: left; padding: .25em .8em .25em 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 500; color: var(--quiet); width: 11em; }
svg { width: 100%; height: auto; margin: .6em 0; }
svg text { font-size: 12px; fill: var(--quiet); }
svg text.title { font-size: 14px; fill: var(--ink); }
svg .grid { stroke: var(--line); }
svg polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
svg .mark line { stroke: var(--quiet); stroke-dasharray: 3 3; }
table.many th { width: auto; }
svg .s0 { stroke: var(--s0); } svg .s1 { stroke: var(--s1); } svg .s2 { stroke: var(--s2); }
svg text.s0 { fill: var(--s0); stroke: none; } svg text.s1 { fill: var(--s1); stroke: none; }
svg text.s2 { fill: var(--s2); stroke: none; }
)";

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    switch (letter) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += letter;
    }
  }
  return safe;
}

double number(const json& from, const char* pointer) {
  return from.value(json::json_pointer(pointer), 0.0);
}

std::string row(const char* name, const std::string& value) {
  return std::string("<tr><th>") + name + "</th><td>" + escaped(value) + "</td></tr>\n";
}

std::string percentiles(const json& latency) {
  std::string text;
  for (const char* name : {"p50", "p90", "p99", "p99.9", "max"}) {
    if (!text.empty()) text += ", ";
    text += std::string(name) + " " + readable_us(latency.value(name, 0.0));
  }
  return text;
}

std::string checks(const json& result) {
  const json& checks = result.at("checks");
  std::string text;
  for (const char* name : {"lost", "duplicated", "reordered", "corrupted", "foreign"}) {
    text += readable(checks.value(name, 0.0)) + " " + name + ", ";
  }
  return text + "of " + readable(checks.value("expected", 0.0)) + " deliveries";
}

std::string server(const json& server) {
  std::string text;
  if (server.contains("cpu_us_per_message")) {
    text += readable(number(server, "/cpu_us_per_message")) + " us of CPU per message, " +
            readable(number(server, "/utilization") * 100) + " % of a core, ";
  }
  text += "RSS " + readable(number(server, "/rss_connected") / 1048576) + " MiB";
  if (server.contains("rss_per_connection")) {
    text += ", " + readable(std::round(number(server, "/rss_per_connection"))) +
            " bytes per connection";
  }
  return text;
}

std::string table(const json& result) {
  std::string made = "<table>\n";
  made += row("connections", readable(number(result, "/connections/open")) + " open of " +
                                 readable(number(result, "/connections/asked")));
  if (number(result, "/sent") > 0) {
    made += row("messages", readable(number(result, "/sent_rate")) + "/s sent, " +
                                readable(number(result, "/received_rate")) + "/s received");
    made += row("checks", checks(result));
  } else if (number(result, "/handshakes") > 0) {
    made += row("handshakes", readable(number(result, "/handshake_rate")) + "/s");
  }
  if (result.at("latency_us").is_object()) {
    made += row("latency", percentiles(result.at("latency_us")));
  }
  if (result.at("server").is_object()) made += row("server", server(result.at("server")));
  for (const auto& [kind, fault] : result.at("faults").items()) {
    made += row(("fault: " + kind).c_str(),
                readable(fault.value("count", 0.0)) + " times; " + fault.value("first", ""));
  }
  return made + "</table>\n";
}

// Phases or parts, one a row.
std::string many(const json& rows, const char* title) {
  if (rows.empty()) return {};
  std::string made = "<table class=\"many\">\n<tr><th>" + std::string(title) +
                     "</th><th>open</th><th>sent</th><th>received</th><th>latency</th>"
                     "<th>errors</th></tr>\n";
  const auto cell = [](const std::string& text) { return "<td>" + escaped(text) + "</td>"; };
  for (const json& one : rows) {
    const bool is_part = one.contains("errors");
    made += "<tr>" + cell(one.value("name", "")) +
            cell(readable(number(one, is_part ? "/connections/open" : "/open"))) +
            cell(readable(number(one, "/sent_rate")) + "/s") +
            cell(readable(number(one, "/received_rate")) + "/s") +
            cell(one.at("latency_us").is_object() ? percentiles(one.at("latency_us")) : "") +
            cell(readable(number(one, is_part ? "/errors" : "/wrong"))) + "</tr>\n";
  }
  return made + "</table>\n";
}

// Nines on the x axis: 90 %, 99 %, 99.9 % are as far apart as each other.
std::string distribution(const json& result) {
  const json& points = result.at("latency_distribution");
  if (points.size() < 3) return {};
  Plot plot{.title = "Latency by share of messages",
            .x_label = "share of messages that were as quick or quicker",
            .is_log_y = true,
            .x_ticks = {{0, "0 %"}},
            .y_text = readable_us,
            .series = {{"latency", {}}}};
  double end = 0;
  for (const json& point : points) {
    const double share = point.at(0);
    if (share >= 1) continue;
    end = -std::log10(1 - share);
    plot.series[0].points.emplace_back(end, point.at(1));
  }
  plot.series[0].points.emplace_back(end, points.back().at(1));
  std::string nines = "90 %";
  for (double nine = 1; nine <= std::ceil(end); ++nine) {
    plot.x_ticks.push_back({nine, nines});
    nines = nine == 1 ? "99 %" : nines.insert(nines.size() - 2, nine == 2 ? ".9" : "9");
  }
  return svg(plot);
}

std::string time_line(const json& result) {
  const json& moments = result.at("time_line");
  if (moments.size() < 3) return {};
  const bool has_messages = number(result, "/sent") > 0;
  Plot rate{.title = has_messages ? "Messages a second" : "Handshakes a second",
            .x_label = "seconds since the warm-up began",
            .x_ticks = {},
            .y_text = readable,
            .series = {}};
  Plot latency{.title = "Latency over time",
               .x_label = "seconds since the warm-up began",
               .is_log_y = true,
               .x_ticks = {},
               .y_text = readable_us,
               .series = {{"p50", {}}, {"p99", {}}, {"max", {}}}};
  if (has_messages) {
    rate.series = {{"received", {}}, {"sent", {}}};
  } else {
    rate.series = {{"handshakes", {}}};
  }
  const double end = number(result, "/plan/warm_up_s") + number(result, "/plan/duration_s");
  for (const json& moment : moments) {
    const double at = moment.at("at_s");
    if (at > end - 0.01) continue;  // only what was still under way
    if (has_messages) {
      rate.series[0].points.emplace_back(at, moment.at("received_rate"));
      rate.series[1].points.emplace_back(at, moment.at("sent_rate"));
    } else {
      rate.series[0].points.emplace_back(at, moment.at("handshake_rate"));
    }
    for (PlotSeries& series : latency.series) {
      series.points.emplace_back(at, moment.at(series.name));
    }
  }
  for (const double tick : round_ticks(end)) rate.x_ticks.push_back({tick, readable(tick)});
  for (const json& phase : result.at("phases")) {
    rate.marks.push_back({number(phase, "/begin_s"), escaped(phase.value("name", ""))});
  }
  latency.x_ticks = rate.x_ticks;
  latency.marks = rate.marks;
  return svg(rate) + "\n" + svg(latency);
}

std::string notes(const json& result) {
  if (!result.value("/client/is_bottleneck"_json_pointer, false)) return {};
  return "<p class=\"note\">The client was the bottleneck: a thread of it was busy for 95 % of the "
         "time or more. The server may be faster than this.</p>\n";
}

}  // namespace

std::string html_page(const json& result) {
  const std::string label = result.value("label", "");
  const std::string scenario = result.value("scenario", "");
  const std::string title = escaped(label.empty() ? scenario : label);
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         title + " - ringroom load</title>\n<style>" + style + "</style>\n</head>\n<body>\n<h1>" +
         title + "</h1>\n<p class=\"what\">" + escaped(scenario) + ", " +
         escaped(result.value("url", "")) + ", " + readable(number(result, "/measured_s")) +
         " s measured</p>\n" + notes(result) + table(result) + many(result.at("phases"), "phase") +
         many(result.at("mix"), "part") + distribution(result) + "\n" + time_line(result) +
         "\n</body>\n</html>\n";
}

}  // namespace ringroom::load
