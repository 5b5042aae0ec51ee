#include "load/flags.h"

#include <ringroom/json.h>

#include "base/values.h"

#include <array>
#include <charconv>
#include <cmath>

namespace ringroom::load {

namespace {

std::string put_count(std::uint32_t& to, const std::string& text) {
  const base::Parsed<std::uint64_t> number = base::parse_number(text, 100'000'000);
  if (!number.value) return number.error;
  if (*number.value == 0) return "must be at least 1";
  to = static_cast<std::uint32_t>(*number.value);
  return {};
}

std::string put_duration(std::uint64_t& to_ns, const std::string& text) {
  const base::Parsed<std::chrono::milliseconds> duration = base::parse_duration(text);
  if (duration.value) to_ns = static_cast<std::uint64_t>(duration.value->count()) * 1'000'000U;
  return duration.error;
}

std::string put_text(std::string& to, const std::string& text) {
  if (text.empty()) return "is empty";
  to = text;
  return {};
}

std::string put_scenario(Plan& plan, const std::string& text) {
  for (const Scenario scenario : all_scenarios) {
    if (text != name_of(scenario)) continue;
    plan.scenario = scenario;
    return {};
  }
  return "is no scenario: there are echo, broadcast, connect, idle, storm, batch, device, agents, "
         "replay and game";
}

std::string put_percent(std::uint32_t& to, const std::string& text) {
  const base::Parsed<std::uint64_t> number = base::parse_number(text, 100);
  if (number.value) to = static_cast<std::uint32_t>(*number.value);
  return number.error;
}

std::string put_batch(Plan& plan, const std::string& text) {
  if (text != "fb" && text != "json") return "must be fb or json";
  plan.envelopes = text == "fb" ? BatchFormat::flatbuffers : BatchFormat::json_text;
  return {};
}

std::string put_hex(std::vector<std::byte>& to, const std::string& text) {
  constexpr std::size_t bytes_max = 64;
  to.clear();
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    unsigned value = 0;
    const char* const end = text.data() + at + 2;
    if (std::from_chars(text.data() + at, end, value, 16).ptr != end) break;
    to.push_back(static_cast<std::byte>(value));
  }
  if (!to.empty() && 2 * to.size() == text.size() && to.size() <= bytes_max) return {};
  return "is not up to 64 bytes in hexadecimal, such as 0a1b";
}

std::string put_arguments(Plan& plan, const std::string& text) {
  if (!json::parse(text, nullptr, false).is_array()) return "is no JSON array, such as '[1,2]'";
  plan.arguments = text;
  return {};
}

std::string put_senders(Plan& plan, const std::string& text) {
  if (text != "all") return put_count(plan.senders, text);
  plan.senders = 0;
  return {};
}

std::string put_rate(double& to, const std::string& text) {
  const char* const end = text.data() + text.size();
  double rate = 0;
  const auto [rest, failure] = std::from_chars(text.data(), end, rate);
  if (failure != std::errc{} || rest != end || !std::isfinite(rate) || rate <= 0 || rate > 1e9) {
    return "is not a rate: write messages a second, such as 1500";
  }
  to = rate;
  return {};
}

std::string put_step(Plan& plan, const std::string& text) {
  const bool is_part = text.ends_with('%');
  plan.step_percent = 0;
  return put_count(is_part ? plan.step_percent : plan.step_rooms,
                   is_part ? text.substr(0, text.size() - 1) : text);
}

std::string put_replay(Plan& plan, const std::string& text) {
  base::Parsed<Script> script = read_script(text);
  if (!script.value) return script.error;
  plan.script = std::make_shared<const Script>(std::move(*script.value));
  plan.scenario = Scenario::replay;
  return {};
}

std::string put_speed(Plan& plan, const std::string& text) {
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, plan.speed);
  const bool is_good = failure == std::errc{} && rest == end && plan.speed >= 0.001;
  return is_good && plan.speed <= 1e6 ? "" : "is no factor between 0.001 and 1000000";
}

std::string put_game_form(Plan& plan, const std::string& text) {
  if (text != "tick" && text != "relay") return "must be tick or relay";
  plan.game_form = text == "tick" ? GameForm::tick : GameForm::relay;
  return {};
}

std::string put_inputs(Plan& plan, const std::string& text) {
  std::uint32_t number = 0;
  std::string error = put_count(number, text);
  plan.inputs_hz = number;
  return error;
}

std::string put_sizes(Plan& plan, const std::string& text) {
  const std::size_t dash = text.find('-');
  const base::Parsed<std::size_t> least = base::parse_size(text.substr(0, dash));
  const base::Parsed<std::size_t> most =
      dash == std::string::npos ? least : base::parse_size(text.substr(dash + 1));
  constexpr std::size_t bytes_max = std::size_t{16} << 20U;
  if (!least.value || !most.value || *least.value > *most.value || *most.value > bytes_max) {
    return "is not a size of up to 16MiB, or a range such as 64-1024";
  }
  plan.sizes = {static_cast<std::uint32_t>(*least.value), static_cast<std::uint32_t>(*most.value)};
  return {};
}

std::string put_source(Plan& plan, const std::string& text) {
  const base::Parsed<SourceRange> range = parse_source(text);
  if (range.value) plan.sources.push_back(*range.value);
  return range.error;
}

std::string put_pid(Plan& plan, const std::string& text) {
  std::uint32_t pid = 0;
  std::string error = put_count(pid, text);
  if (error.empty()) plan.server_pids.push_back(static_cast<int>(pid));
  return error;
}

std::string put_header(Plan& plan, const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || text.find_first_of("\r\n") != std::string::npos) {
    return "must look like 'Name: value'";
  }
  plan.target.headers += text + "\r\n";
  return {};
}

std::string put_expectations(Plan& plan, const std::string& text) {
  base::Parsed<std::vector<Expectation>> made = parse_expectations(text);
  if (!made.value) return made.error;
  for (Expectation& one : *made.value) plan.expectations.push_back(std::move(one));
  return {};
}

constexpr const char* scenario_group = "Scenario";
constexpr const char* load_group = "Load (SIZE: bytes, or a number and KiB or MiB)";
constexpr const char* timing_group = "Timing (DURATION: a number and ms, s, m or h)";
constexpr const char* machine_group = "Machine";
constexpr const char* output_group = "Output";

constexpr std::array<Flag, 45> all_flags = {{
    {"scenario", "NAME", scenario_group,
     "echo, broadcast, connect, idle, storm, batch,\n"
     "device, agents, replay or game, as told below\n"
     "(default echo)",
     false, put_scenario},
    {"connections", "N", scenario_group,
     "WebSocket connections in all (default 100; with\n"
     "members it is rooms times members)",
     false, [](Plan& p, const std::string& t) { return put_count(p.connections, t); }},
    {"rooms", "N", scenario_group,
     "how many values {room} takes: 0 to N-1, spread\n"
     "over the connections (default 1; game 1,000)",
     false, [](Plan& p, const std::string& t) { return put_count(p.rooms, t); }},
    {"members", "N", scenario_group,
     "broadcast, agents, game, batch: connections in\n"
     "each room (default 10, batch none)",
     false, [](Plan& p, const std::string& t) { return put_count(p.members, t); }},
    {"senders", "N|all", scenario_group,
     "how many members of each room send, the others\n"
     "only receive\n"
     "(default all)",
     false, put_senders},
    {"includes-sender", nullptr, scenario_group,
     "broadcast: the server sends a message to its\n"
     "sender too, so that is checked as well",
     false,
     [](Plan& p, const std::string&) {
       p.includes_sender = true;
       return std::string();
     }},
    {"cut", nullptr, scenario_group,
     "connect: reset each connection after the 101,\n"
     "instead of a close handshake",
     false,
     [](Plan& p, const std::string&) {
       p.cuts = true;
       return std::string();
     }},
    {"storm-every", "DURATION", scenario_group, "storm: time between two storms (default 3s)",
     false, [](Plan& p, const std::string& t) { return put_duration(p.storm_every_ns, t); }},
    {"game", "tick|relay", scenario_group,
     "game: the server sends the state of the room 20\n"
     "times a second, as TickRoom does, or each input to\n"
     "all other players (default tick)",
     false, put_game_form},
    {"inputs", "N", scenario_group, "game: inputs a second of each player (default 20)", false,
     put_inputs},
    {"step", "ROOMS|PERCENT%", scenario_group,
     "game: how many more rooms each step has, up to\n"
     "--rooms (default 20, up to 1,000)",
     false, put_step},
    {"first", "ROOMS", scenario_group, "game: rooms of the first step (default as many as\n--step)",
     false, [](Plan& p, const std::string& t) { return put_count(p.first_rooms, t); }},
    {"step-duration", "DURATION", scenario_group,
     "game: a third to connect and settle, the rest is\n"
     "measured (default 3s)",
     false, [](Plan& p, const std::string& t) { return put_duration(p.step_ns, t); }},
    {"batch", "fb|json", scenario_group,
     "messages travel in envelopes, as FlatBuffers or\n"
     "JSON (default none, in the scenario batch fb)",
     false, put_batch},
    {"batched", "N", scenario_group,
     "messages in each envelope that is sent (default 1,\n"
     "in the scenario batch 100)",
     false, [](Plan& p, const std::string& t) { return put_count(p.batched, t); }},
    {"prefix", "HEX", scenario_group,
     "for frameworks with frames of their own: these\n"
     "bytes stand before every message, both ways",
     false, [](Plan& p, const std::string& t) { return put_hex(p.prefix, t); }},
    {"hello", "HEX", scenario_group,
     "every connection sends these bytes first, as a\nbinary message", false,
     [](Plan& p, const std::string& t) { return put_hex(p.hello, t); }},
    {"period", "DURATION", scenario_group, "device: between two messages of each (default 1s)",
     false, [](Plan& p, const std::string& t) { return put_duration(p.period_ns, t); }},
    {"jitter", "PERCENT", scenario_group,
     "device: how late one may be by chance, of a period\n(default 10)", false,
     [](Plan& p, const std::string& t) { return put_percent(p.jitter_percent, t); }},
    {"method", "NAME", scenario_group, "agents: what is called (default echo)", false,
     [](Plan& p, const std::string& t) { return put_text(p.method, t); }},
    {"args", "JSON", scenario_group, "agents: with these arguments, an array (default [])", false,
     put_arguments},
    {"states", "PERCENT", scenario_group,
     "agents: how many of 100 calls come behind a state\nupdate (default 10)", false,
     [](Plan& p, const std::string& t) { return put_percent(p.states_percent, t); }},
    {"replay", "FILE", scenario_group,
     "send what 'ringroom record' wrote down, a\n"
     "connection for each recorded member",
     false, put_replay},
    {"copies", "N", scenario_group, "replay: of the recorded room (default 1)", false,
     [](Plan& p, const std::string& t) { return put_count(p.copies, t); }},
    {"speed", "X", scenario_group, "replay: how much faster than it was (default 1)", false,
     put_speed},
    {"header", "'NAME: VALUE'", scenario_group, "add to every handshake (repeatable)", true,
     put_header},
    {"in-flight", "N", load_group,
     "closed loop: messages under way of each sender;\n"
     "the next leaves when one has reached everybody\n"
     "(default 1)",
     false, [](Plan& p, const std::string& t) { return put_count(p.in_flight, t); }},
    {"rate", "R", load_group,
     "open loop: R messages a second in all, evenly\n"
     "spaced, whatever the server does; latencies count\n"
     "from when a message should have left (default:\n"
     "closed loop)",
     false, [](Plan& p, const std::string& t) { return put_rate(p.rate, t); }},
    {"rate-each", "R", load_group, "the same, of each sender", false,
     [](Plan& p, const std::string& t) { return put_rate(p.rate_each, t); }},
    {"size", "SIZE|MIN-MAX", load_group,
     "bytes of a message, at least 32, or 64 as text;\n"
     "a range is spread evenly (default 64)",
     false, put_sizes},
    {"text", nullptr, load_group, "send text messages (default: binary)", false,
     [](Plan& p, const std::string&) {
       p.text = true;
       return std::string();
     }},
    {"connecting", "N", load_group, "handshakes at the same time at the start (default\n128)",
     false, [](Plan& p, const std::string& t) { return put_count(p.connecting_max, t); }},
    {"duration", "DURATION", timing_group, "what is measured (default 10s)", false,
     [](Plan& p, const std::string& t) { return put_duration(p.duration_ns, t); }},
    {"warm-up", "DURATION", timing_group,
     "the same load before that, not measured, but\n"
     "checked (default 1s)",
     false, [](Plan& p, const std::string& t) { return put_duration(p.warm_up_ns, t); }},
    {"handshake-timeout", "DURATION", timing_group,
     "a handshake that takes longer is a fault (default\n"
     "10s)",
     false, [](Plan& p, const std::string& t) { return put_duration(p.handshake_timeout_ns, t); }},
    {"reply-timeout", "DURATION", timing_group,
     "how long a closed loop waits for a message before\n"
     "it sends the next, and how long to wait at the\n"
     "end for what is still under way (default 5s)",
     false, [](Plan& p, const std::string& t) { return put_duration(p.reply_timeout_ns, t); }},
    {"threads", "N", machine_group,
     "threads of the client, each with a ring and its\n"
     "connections; a room is on one thread (default: as\n"
     "many as the limit of open files asks for)",
     false, [](Plan& p, const std::string& t) { return put_count(p.threads, t); }},
    {"spin", nullptr, machine_group,
     "never sleep: latencies without the client's own\n"
     "wake-ups, at a whole core for each thread",
     false,
     [](Plan& p, const std::string&) {
       p.spin = true;
       return std::string();
     }},
    {"source", "ADDRESSES", machine_group,
     "where connections come from, in turn: an address,\n"
     "127.0.0.2-127.0.0.9, or 127.0.0.0/24; for more\n"
     "connections than one address has ports\n"
     "(repeatable)",
     true, put_source},
    {"server-pid", "PID", machine_group,
     "a process of the server on this machine: tells\n"
     "its CPU per message and its memory (repeatable)",
     true, put_pid},
    {"expect", "LIST", output_group,
     "conditions such as 'p99<5ms,errors=0'; exit code\n"
     "1 if one is missed (repeatable)",
     true, put_expectations},
    {"json", "FILE", output_group,
     "write the result as JSON; - for standard output,\nthen the "
     "summary goes to standard error",
     false, [](Plan& p, const std::string& t) { return put_text(p.json_file, t); }},
    {"html", "FILE", output_group,
     "write the result as a page with plots, in one\n"
     "file",
     false, [](Plan& p, const std::string& t) { return put_text(p.html_file, t); }},
    {"label", "TEXT", output_group, "a name for the run, in JSON and HTML", false,
     [](Plan& p, const std::string& t) { return put_text(p.label, t); }},
    {"quiet", nullptr, output_group, "nothing while it runs, and no summary", false,
     [](Plan& p, const std::string&) {
       p.quiet = true;
       return std::string();
     }},
}};

}  // namespace

bool Flag::is_of_part() const {
  return group == scenario_group || group == load_group || std::string_view(name) == "threads";
}

std::span<const Flag> flags() {
  return all_flags;
}

}  // namespace ringroom::load
