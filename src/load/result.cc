#include "load/result.h"

#include "load/readable.h"

#include <algorithm>
#include <numeric>

namespace ringroom::load {

namespace {

constexpr double client_bound_from = 0.95;

double microseconds(std::uint64_t ns) {
  return static_cast<double>(ns) / 1e3;
}

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::optional<double> latency_metric(const Histogram& latency, const std::string& name) {
  if (latency.count() == 0) return std::nullopt;
  if (name == "p50") return microseconds(latency.quantile(0.5));
  if (name == "p90") return microseconds(latency.quantile(0.9));
  if (name == "p99") return microseconds(latency.quantile(0.99));
  if (name == "p99.9") return microseconds(latency.quantile(0.999));
  if (name == "max") return microseconds(latency.max());
  if (name == "mean") return latency.mean() / 1e3;
  return std::nullopt;
}

json latency_json(const Histogram& latency) {
  if (latency.count() == 0) return nullptr;
  return {{"count", latency.count()},
          {"min", microseconds(latency.min())},
          {"mean", latency.mean() / 1e3},
          {"p50", microseconds(latency.quantile(0.5))},
          {"p90", microseconds(latency.quantile(0.9))},
          {"p99", microseconds(latency.quantile(0.99))},
          {"p99.9", microseconds(latency.quantile(0.999))},
          {"p99.99", microseconds(latency.quantile(0.9999))},
          {"max", microseconds(latency.max())}};
}

// For plots: the latency at evenly spaced depths, each ten points nearer to all.
json distribution_json(const Histogram& latency) {
  json points = json::array();
  if (latency.count() == 0) return points;
  double left = 1;
  for (int depth = 0; left * static_cast<double>(latency.count()) >= 1 && depth < 60; ++depth) {
    points.push_back({1 - left, microseconds(latency.quantile(1 - left))});
    left /= 1.2589254117941673;  // ten steps for each nine
  }
  points.push_back({1.0, microseconds(latency.max())});
  return points;
}

json faults_json(const Result& result) {
  json faults = json::object();
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    if (result.total.faults[i] == 0) continue;
    faults[std::string(fault_names[i])] = {{"count", result.total.faults[i]},
                                           {"first", result.examples[i]}};
  }
  return faults;
}

json phases_json(const Result& result) {
  json phases = json::array();
  for (const PhaseResult& phase : result.phases) {
    json& made = phases.emplace_back(
        json{{"name", phase.name},
             {"begin_s", phase.begin_s},
             {"length_s", phase.length_s},
             {"open", phase.open},
             {"sent", phase.tally.sent},
             {"received", phase.tally.received},
             {"sent_rate", per_second(phase.tally.sent, phase.length_s)},
             {"received_rate", per_second(phase.tally.received, phase.length_s)},
             {"handshake_rate", per_second(phase.tally.handshakes, phase.length_s)},
             {"latency_us", latency_json(phase.latency)},
             {"wrong", phase.tally.wrong()}});
    if (phase.server_cpu_s) made["server_cpu_s"] = *phase.server_cpu_s;
  }
  return phases;
}

json checks_json(const Tally& total) {
  return {{"expected", total.expected},   {"arrived", total.arrived},
          {"lost", total.lost()},         {"duplicated", total.duplicated},
          {"reordered", total.reordered}, {"corrupted", total.corrupted},
          {"foreign", total.foreign}};
}

json parts_json(const Result& result) {
  json parts = json::array();
  for (const PartResult& part : result.parts) {
    parts.push_back({{"name", part.name},
                     {"scenario", name_of(part.scenario)},
                     {"connections", {{"asked", part.asked}, {"open", part.open}}},
                     {"sent", part.measured.sent},
                     {"received", part.measured.received},
                     {"handshakes", part.measured.handshakes},
                     {"sent_rate", per_second(part.measured.sent, result.measured_s)},
                     {"received_rate", per_second(part.measured.received, result.measured_s)},
                     {"latency_us", latency_json(part.latency)},
                     {"checks", checks_json(part.total)},
                     {"errors", part.total.wrong() + part.total.lost()}});
  }
  return parts;
}

json plan_json(const Plan& plan) {
  return {{"connections", plan.connections},
          {"rooms", plan.rooms},
          {"members", plan.members},
          {"senders", plan.senders},
          {"in_flight", plan.in_flight},
          {"rate", plan.rate},
          {"size_min", plan.sizes.least},
          {"size_max", plan.sizes.most},
          {"text", plan.text},
          {"batched", plan.batched},
          {"threads", plan.threads},
          {"duration_s", static_cast<double>(plan.duration_ns) / 1e9},
          {"warm_up_s", static_cast<double>(plan.warm_up_ns) / 1e9}};
}

json server_json(const Result& result) {
  if (result.plan.server_pids.empty()) return nullptr;
  json server = {{"rss_before", result.server_before.rss_bytes},
                 {"rss_connected", result.server_connected.rss_bytes},
                 {"rss_after", result.server_after.rss_bytes}};
  if (const auto cpu = result.server_cpu_s) {
    server["cpu_s"] = *cpu;
    server["utilization"] = result.measured_s > 0 ? *cpu / result.measured_s : 0;
  }
  if (const auto cpu = result.server_cpu_us()) server["cpu_us_per_message"] = *cpu;
  if (const auto rss = result.server_rss()) server["rss_per_connection"] = *rss;
  return server;
}

json game_json(const Result& result) {
  if (result.plan.scenario != Scenario::game) return nullptr;
  json steps = json::array();
  for (const Step& step : result.steps) {
    steps.push_back({{"players", step.players},
                     {"p50", microseconds(step.p50_ns)},
                     {"p99", microseconds(step.p99_ns)},
                     {"max", microseconds(step.max_ns)},
                     {"received_rate", step.received_rate},
                     {"faults", step.faults},
                     {"client_use", step.client_use},
                     {"server_use", step.server_use},
                     {"is_carried", step.is_carried}});
  }
  return {{"form", result.plan.game_form == GameForm::tick ? "tick" : "relay"},
          {"players", result.players},
          {"players_per_core", result.players_per_core()},
          {"server_cores", result.server_cores},
          {"steps", steps}};
}

json moments_json(const Result& result) {
  json moments = json::array();
  for (const Moment& moment : result.moments) {
    moments.push_back({{"at_s", moment.at_s},
                       {"open", moment.open},
                       {"sent_rate", per_second(moment.tally.sent, moment.length_s)},
                       {"received_rate", per_second(moment.tally.received, moment.length_s)},
                       {"handshake_rate", per_second(moment.tally.handshakes, moment.length_s)},
                       {"p50", microseconds(moment.p50_ns)},
                       {"p99", microseconds(moment.p99_ns)},
                       {"max", microseconds(moment.max_ns)},
                       {"faults", moment.tally.faults_total()}});
  }
  return moments;
}

}  // namespace

bool Result::is_client_bound() const {
  if (!steps.empty()) return steps.back().client_use >= client_bound_from;
  const double sum = std::accumulate(client_use.begin(), client_use.end(), 0.0);
  if (sum >= client_bound_from * client_cores) return true;
  return std::any_of(client_use.begin(), client_use.end(),
                     [](double use) { return use >= client_bound_from; });
}

std::uint64_t Result::handled() const {
  const std::uint64_t messages = measured.sent + measured.received;
  return messages != 0 ? messages : measured.handshakes;
}

std::optional<double> Result::server_cpu_us() const {
  if (!server_cpu_s || handled() == 0) return std::nullopt;
  return *server_cpu_s * 1e6 / static_cast<double>(handled());
}

std::optional<double> Result::server_rss() const {
  if (plan.server_pids.empty() || open == 0 || plan.follows_connections()) return std::nullopt;
  return (static_cast<double>(server_connected.rss_bytes) -
          static_cast<double>(server_before.rss_bytes)) /
         open;
}

namespace {

double number(std::uint64_t count) {
  return static_cast<double>(count);
}

std::optional<double> check_metric(const Tally& total, const std::string& name) {
  if (name == "errors") return number(total.wrong() + total.lost());
  if (name == "lost") return number(total.lost());
  if (name == "duplicated") return number(total.duplicated);
  if (name == "reordered") return number(total.reordered);
  if (name == "corrupted") return number(total.corrupted);
  if (name == "foreign") return number(total.foreign);
  return std::nullopt;
}

std::optional<double> rate_metric(const Tally& tally, double seconds, const std::string& name) {
  if (name == "sent_rate") return per_second(tally.sent, seconds);
  if (name == "received_rate") return per_second(tally.received, seconds);
  if (name == "handshake_rate") return per_second(tally.handshakes, seconds);
  return std::nullopt;
}

std::optional<double> metric_of(const PhaseResult& phase, const std::string& name) {
  if (name == "open") return phase.open;
  // What didn't arrive in a phase may have in the next.
  if (name == "errors") return number(phase.tally.wrong());
  if (name == "lost") return std::nullopt;
  if (name == "server_cpu") {
    const std::uint64_t messages = phase.tally.sent + phase.tally.received;
    if (!phase.server_cpu_s || messages == 0) return std::nullopt;
    return *phase.server_cpu_s * 1e6 / number(messages);
  }
  if (const auto check = check_metric(phase.tally, name)) return check;
  if (const auto rate = rate_metric(phase.tally, phase.length_s, name)) return rate;
  return latency_metric(phase.latency, name);
}

std::optional<double> metric_of(const PartResult& part, double seconds, const std::string& name) {
  if (name == "open") return part.open;
  if (const auto check = check_metric(part.total, name)) return check;
  if (const auto rate = rate_metric(part.measured, seconds, name)) return rate;
  return latency_metric(part.latency, name);
}

}  // namespace

std::optional<double> metric(const Result& result,
                             const std::string& name,
                             const std::string& scope) {
  for (const PhaseResult& phase : result.phases) {
    if (phase.name == scope) return metric_of(phase, name);
  }
  for (const PartResult& part : result.parts) {
    if (part.name == scope) return metric_of(part, result.measured_s, name);
  }
  if (name == "open") return result.open;
  if (name == "players") return result.players;
  if (name == "players_per_core") return result.players_per_core();
  if (name == "server_cpu") return result.server_cpu_us();
  if (name == "server_rss") return result.server_rss();
  if (name == "handshake_p99") {
    if (result.handshake.count() == 0) return std::nullopt;
    return microseconds(result.handshake.quantile(0.99));
  }
  if (const auto check = check_metric(result.total, name)) return check;
  if (const auto rate = rate_metric(result.measured, result.measured_s, name)) return rate;
  return latency_metric(result.latency, name);
}

json to_json(const Result& result) {
  const Tally& total = result.total;
  json made = {
      {"url", result.plan.target.url},
      {"scenario", result.plan.what()},
      {"label", result.plan.label},
      {"plan", plan_json(result.plan)},
      {"connections",
       {{"asked", result.plan.connections}, {"open", result.open}, {"open_s", result.open_s}}},
      {"measured_s", result.measured_s},
      {"sent", result.measured.sent},
      {"received", result.measured.received},
      {"handshakes", result.measured.handshakes},
      {"sent_rate", per_second(result.measured.sent, result.measured_s)},
      {"received_rate", per_second(result.measured.received, result.measured_s)},
      {"handshake_rate", per_second(result.measured.handshakes, result.measured_s)},
      {"received_bytes_rate", per_second(result.measured.received_bytes, result.measured_s)},
      {"latency_us", latency_json(result.latency)},
      {"handshake_us", latency_json(result.handshake)},
      {"latency_distribution", distribution_json(result.latency)},
      {"checks", checks_json(total)},
      {"cycles", total.cycles},
      {"faults", faults_json(result)},
      {"errors", result.errors()},
      {"client",
       {{"threads_use", result.client_use},
        {"cpu_s", result.client_cpu_s},
        {"schedule_lag_max_us", result.lag_max_us},
        {"is_bottleneck", result.is_client_bound()}}},
      {"server", server_json(result)},
      {"game", game_json(result)},
      {"phases", phases_json(result)},
      {"mix", parts_json(result)},
      {"time_line", moments_json(result)}};
  return made;
}

Judgement judge(const Result& result) {
  Judgement judgement;
  for (const Expectation& expectation : result.plan.expectations) {
    const std::optional<double> measured = metric(result, expectation.metric, expectation.scope);
    const bool is_met = measured && expectation.is_met(*measured);
    judgement.is_met = judgement.is_met && is_met;
    judgement.text += std::string(is_met ? "met     " : "MISSED  ") + expectation.text + "  (";
    const auto& names = metric_names();
    const bool is_duration = std::any_of(names.begin(), names.end(), [&](const MetricName& one) {
      return one.is_duration && expectation.metric == one.name;
    });
    judgement.text += !measured     ? "not measured"
                      : is_duration ? readable_us(*measured)
                                    : readable(*measured);
    judgement.text += ")\n";
  }
  return judgement;
}

}  // namespace ringroom::load
