// The summary of a result, for people.
#include "base/values.h"
#include "load/readable.h"
#include "load/result.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace ringroom::load {

namespace {

// "  name        value\n"
std::string line(const char* name, const std::string& value) {
  std::array<char, 16> padded{};
  std::snprintf(padded.data(), padded.size(), "  %-12s", name);
  return padded.data() + value + "\n";
}

std::string rate(std::uint64_t count, double seconds) {
  return readable(seconds > 0 ? static_cast<double>(count) / seconds : 0) + "/s";
}

std::string percentiles(const Histogram& latency) {
  const auto at = [&latency](double share) { return readable_ns(latency.quantile(share)); };
  return "p50 " + at(0.5) + "   p90 " + at(0.9) + "   p99 " + at(0.99) + "   p99.9 " + at(0.999) +
         "   max " + readable_ns(latency.max());
}

std::string connections(const Result& result) {
  if (result.plan.scenario == Scenario::connect) {
    return base::grouped(result.plan.connections) + " at a time";
  }
  const std::string text =
      base::grouped(result.open) + " of " + base::grouped(result.plan.connections) + " open";
  if (result.plan.follows_connections()) return text + " at most";
  return text + ", in " + readable_ns(static_cast<std::uint64_t>(result.open_s * 1e9));
}

std::string messages(const Result& result) {
  const Tally& measured = result.measured;
  std::string text = rate(measured.sent, result.measured_s) + " sent, " +
                     rate(measured.received, result.measured_s) + " received";
  if (result.plan.rate > 0 && result.plan.phases.empty())
    text += " (asked for " + readable(result.plan.rate) + "/s)";
  const double bytes = static_cast<double>(measured.received_bytes) / result.measured_s;
  return text + ", " + readable(bytes / 1048576) + " MiB/s";
}

std::string checks(const Result& result) {
  const Tally& total = result.total;
  std::string text = base::grouped(total.lost()) + " lost, " + base::grouped(total.duplicated) +
                     " twice, " + base::grouped(total.reordered) + " out of order, " +
                     base::grouped(total.corrupted) + " changed";
  if (total.foreign != 0) text += ", " + base::grouped(total.foreign) + " of somebody else";
  return text + " (of " + base::grouped(total.expected) + " deliveries)";
}

// What Result::handled() counts.
std::string unit_of(const Result& result) {
  return result.measured.sent + result.measured.received != 0 ? "message" : "handshake";
}

std::string server(const Result& result) {
  std::string text;
  if (const auto cpu = result.server_cpu_us()) {
    text = readable(*cpu) + " us of CPU per " + unit_of(result) + ", " +
           readable(*result.server_cpu_s / result.measured_s * 100) + " % of a core, ";
  }
  const double rss = static_cast<double>(result.server_connected.rss_bytes) / 1048576;
  text += "RSS " + readable(rss) + " MiB";
  if (const auto each = result.server_rss()) {
    if (result.plan.scenario != Scenario::connect) {
      text += ", " + readable(std::round(*each)) + " bytes per connection";
    }
  }
  return text;
}

std::string client(const Result& result) {
  std::string text;
  for (const double use : result.client_use) {
    text += (text.empty() ? "" : ", ") + readable(std::round(use * 100)) + " %";
  }
  const std::uint64_t handled = result.handled();
  if (handled != 0 && !result.plan.spin) {
    text += " of a core, " + readable(result.client_cpu_s * 1e6 / static_cast<double>(handled)) +
            " us of CPU per " + unit_of(result);
  } else {
    text += " of a core";
  }
  return text;
}

std::string faults(const Result& result) {
  std::string text;
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    if (result.total.faults[i] == 0) continue;
    text += line("fault", base::grouped(result.total.faults[i]) + " x " +
                              std::string(fault_texts[i]) + ": " + result.examples[i]);
  }
  return text;
}

// A game's steps, one a line, and what they come to.
std::string game(const Result& result) {
  std::string text;
  for (const Step& step : result.steps) {
    text +=
        line("step", base::grouped(step.players) + " players: p50 " + readable_ns(step.p50_ns) +
                         ", p99 " + readable_ns(step.p99_ns) + ", max " + readable_ns(step.max_ns) +
                         ", " + readable(step.received_rate) + " frames/s" +
                         (step.server_use > 0
                              ? ", server " + readable(std::round(step.server_use * 100)) + " %"
                              : "") +
                         (step.is_carried ? "" : "  NOT CARRIED"));
  }
  const bool is_bounded = result.steps.empty() || result.steps.back().is_carried;
  return text + line("players", base::grouped(result.players) + " carried, " +
                                    readable(result.players_per_core()) + " per core (" +
                                    std::to_string(result.server_cores) + ")" +
                                    (is_bounded ? "; there were no more steps" : ""));
}

// Of a phase or a part: what both have.
std::string traffic(const Tally& tally, double seconds, const Histogram& latency) {
  std::string text =
      rate(tally.sent, seconds) + " sent, " + rate(tally.received, seconds) + " received";
  if (latency.count() != 0) {
    text += ", p50 " + readable_ns(latency.quantile(0.5)) + ", p99 " +
            readable_ns(latency.quantile(0.99)) + ", max " + readable_ns(latency.max());
  }
  return text;
}

std::string phases(const Result& result) {
  std::string text;
  for (const PhaseResult& phase : result.phases) {
    text += line(
        "phase",
        phase.name + ": " + base::grouped(phase.open) + " open, " +
            traffic(phase.tally, phase.length_s, phase.latency) +
            (phase.tally.wrong() == 0 ? "" : ", " + base::grouped(phase.tally.wrong()) + " wrong"));
  }
  return text;
}

std::string parts(const Result& result) {
  std::string text;
  for (const PartResult& part : result.parts) {
    const std::uint64_t errors = part.total.wrong() + part.total.lost();
    text += line("part", part.name + " (" + name_of(part.scenario) +
                             "): " + base::grouped(part.open) + " of " + base::grouped(part.asked) +
                             " open, " + traffic(part.measured, result.measured_s, part.latency) +
                             (errors == 0 ? "" : ", " + base::grouped(errors) + " errors"));
  }
  return text;
}

// What makes the figures mean less than they seem to.
std::string warnings(const Result& result) {
  std::string text;
  if (result.is_client_bound()) {
    text +=
        "  The client was the bottleneck: a thread of it was busy for 95 % of the time or more.\n"
        "  The server may be faster than this; use more --threads, or another machine.\n";
  }
  if (result.plan.rate > 0 && result.plan.scenario != Scenario::game &&
      result.lag_max_us > 10'000) {
    text += "  The client sent up to " + readable_us(result.lag_max_us) +
            " later than meant; latencies count from when it should have.\n";
  }
  return text;
}

}  // namespace

std::string summary(const Result& result) {
  const Plan& plan = result.plan;
  std::string text =
      std::string(plan.what()) + " " + plan.target.url + ", " +
      readable_ns(static_cast<std::uint64_t>(result.measured_s * 1e9)) + " measured" +
      (plan.warm_up_ns == 0 ? "\n" : " after " + readable_ns(plan.warm_up_ns) + " of warm-up\n");
  if (plan.scenario == Scenario::game) {
    text += game(result);
  } else {
    text += line("connections", connections(result));
  }
  const bool has_messages = result.total.sent != 0;
  if (has_messages && plan.scenario != Scenario::game) text += line("messages", messages(result));
  if (plan.scenario == Scenario::connect) {
    text += line("cycles", rate(result.measured.cycles, result.measured_s));
  }
  if (plan.scenario == Scenario::storm) {
    text += line("storms", base::grouped(result.total.cycles) + " survived; latency: back after");
  }
  if (plan.scenario == Scenario::idle) {
    text += line("alive", base::grouped(result.total.alive) + " of " + base::grouped(result.open) +
                              " answered a ping at the end");
  }
  if (result.latency.count() != 0 && plan.scenario != Scenario::game)
    text += line("latency", percentiles(result.latency));
  if (result.handshake.count() != 0 && plan.scenario != Scenario::connect) {
    text += line("handshake", percentiles(result.handshake));
  }
  text += phases(result) + parts(result);
  if (result.total.expected != 0 && has_messages) text += line("checks", checks(result));
  if (!plan.server_pids.empty()) text += line("server", server(result));
  text += line("client", client(result));
  return text + faults(result) + warnings(result);
}

}  // namespace ringroom::load
