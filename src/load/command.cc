#include "load/command.h"

#include <ringroom/limits.h>

#include "base/values.h"
#include "codec/envelope/negotiation.h"
#include "load/compare.h"
#include "load/flags.h"
#include "load/html.h"
#include "load/machine.h"
#include "load/run.h"
#include "load/stamp.h"

#include <cstdio>
#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>

namespace ringroom::load {

namespace {

constexpr int unusable = 2;

constexpr const char* about =
    "Loads a WebSocket server, checks what it answers, and measures it: any server that echoes or\n"
    "relays will do.\n";

constexpr const char* footer =
    "Scenarios:\n"
    "  echo       every connection sends; each message must come back to its sender\n"
    "  broadcast  members of rooms send; each message must reach all others of its room\n"
    "  connect    connections are opened, upgraded and closed, over and over\n"
    "  idle       connections are opened and held; at the end each must answer a ping\n"
    "  storm      all connections are cut at once, and come back at once\n"
    "  batch      as echo, or with --members as broadcast, in envelopes of --batched messages\n"
    "  device     every connection sends by a clock of its own, binary, and gets it back\n"
    "  agents     rooms of the Agents protocol: calls, whose callers must get the answer, and "
    "state\n"
    "             updates, which must reach all others\n"
    "  replay     a recorded room, over and over at the same time; what comes back is only "
    "counted\n"
    "  game       rooms of players that send inputs, more rooms with each step, until the server\n"
    "             can't carry a step: 99 % of the inputs must be with everybody within 50 ms "
    "(tick:\n"
    "             100 ms, since an input may wait 50 ms for its tick), without a fault. Two late\n"
    "             steps in a row end it: one alone may be the machine that stood still. Answers\n"
    "             players per core; a core is one that --server-pid may run on\n"
    "\n"
    "Every message carries a number and a checksum: what is lost, comes twice, late or changed is\n"
    "counted. Against 'ringroom serve':\n"
    "\n"
    "  ringroom load ws://127.0.0.1:8787/agents/echo/x --connections 1000\n"
    "  ringroom load 'ws://127.0.0.1:8787/agents/relay/{room}' --scenario broadcast \\\n"
    "      --rooms 100 --members 10 --rate 1500 --expect 'p99<5ms,errors=0'\n"
    "\n"
    "Exit code: 0; 1 if something that --expect names was missed; 2 if nothing could be "
    "measured.\n";

Command refused(const std::string& program, const std::string& error) {
  return {{},
          {},
          program + ": " + error + "\nRun '" + program + " --help' to see every flag.\n",
          unusable};
}

// What stood after each flag, in the order of flags(); of one without a value, how often it did.
struct Given {
  std::string url;
  std::vector<std::string> compared;
  std::vector<std::vector<std::string>> values;
  std::vector<std::size_t> counts;
};

std::string expectations_help() {
  std::string text = "Metrics of --expect:\n";
  for (const MetricName& metric : metric_names()) {
    const std::string name = metric.name;
    text += "  " + name + std::string(name.size() < 16 ? 16 - name.size() : 1, ' ') + metric.what +
            (metric.is_duration ? " (duration: us, ms, s)\n" : "\n");
  }
  return text;
}

void add_flags(CLI::App& app, Given& given) {
  given.values.resize(flags().size());
  given.counts.resize(flags().size());
  app.add_option("URL", given.url,
                 "ws://HOST[:PORT]/PATH; {room} and {i} in the path become\n"
                 "the numbers of room and connection. tcp:// in place of\n"
                 "ws:// for bare TCP: each message behind its length (u32,\n"
                 "little endian), the first one is the path, and the server\n"
                 "answers that with an empty one");
  for (std::size_t i = 0; i < flags().size(); ++i) {
    const Flag& flag = flags()[i];
    const std::string name = "--" + std::string(flag.name);
    if (flag.value == nullptr) {
      app.add_flag(name, given.counts[i], flag.help)->group(flag.group);
      continue;
    }
    CLI::Option* option = app.add_option(name, given.values[i], flag.help);
    option->type_name(flag.value)->group(flag.group)->expected(1)->allow_extra_args(false);
    option->multi_option_policy(flag.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                                : CLI::MultiOptionPolicy::TakeLast);
  }
  app.add_option("--compare", given.compared,
                 "no run: what changed from one result of --json to\n"
                 "another, as ratios")
      ->type_name("A.json B.json")
      ->group("Output")
      ->type_size(2);
}

std::string apply_flags(const Given& given, Plan& plan) {
  for (std::size_t i = 0; i < flags().size(); ++i) {
    const Flag& flag = flags()[i];
    if (given.counts[i] > 0) flag.apply(plan, {});
    for (const std::string& text : given.values[i]) {
      const std::string error = flag.apply(plan, text);
      if (!error.empty()) return "--" + std::string(flag.name) + ": '" + text + "' " + error;
    }
  }
  return {};
}

std::string complete_game(Plan& plan, bool has_rooms) {
  constexpr std::uint32_t tick_bytes_max = 64;  // of a message that TickRoom keeps
  if (!has_rooms) plan.rooms = 1000;
  if (plan.members == 0) plan.members = 10;
  if (plan.members < 2) return "--members must be at least 2";
  if (plan.rate != 0) return "--rate is not of the scenario game: there are --inputs and --step";
  if (plan.step_ns < 300'000'000) return "--step-duration must be at least 300ms";
  if (plan.game_form == GameForm::tick && (plan.text || plan.sizes.most > tick_bytes_max)) {
    return "--game tick sends binary messages of at most 64 bytes";
  }
  const std::uint64_t connections = std::uint64_t{plan.rooms} * plan.members;
  if (connections > 10'000'000) return "--rooms times --members is too many players";
  plan.connections = static_cast<std::uint32_t>(connections);
  plan.rate = static_cast<double>(connections) * plan.inputs_hz;
  plan.warm_up_ns = 0;
  plan.duration_ns = plan.steps() * plan.step_ns;
  return {};
}

std::string complete_rooms(Plan& plan) {
  if (plan.senders > plan.members) return "--senders can't be more than --members";
  if (plan.members < 2 && !plan.includes_sender && plan.scenario != Scenario::agents) {
    return "--members must be at least 2: nobody else would get a message";
  }
  const std::uint64_t connections = std::uint64_t{plan.rooms} * plan.members;
  if (connections > 100'000'000) return "--rooms times --members is too many connections";
  plan.connections = static_cast<std::uint32_t>(connections);
  return {};
}

std::string complete_envelopes(Plan& plan) {
  if (plan.envelopes == BatchFormat::none) {
    if (plan.batched > 1) return "--batched is of envelopes: --batch, or the scenario batch";
    plan.batched = 1;
    return {};
  }
  if (plan.batched == 0) plan.batched = 1;
  const bool is_flat = plan.envelopes == BatchFormat::flatbuffers;
  if (!is_flat) plan.text = true;
  if (plan.batched > limits::envelope_messages_max) {
    return "--batched can't be more than " + std::to_string(limits::envelope_messages_max);
  }
  const bool is_fit = plan.scenario == Scenario::echo || plan.scenario == Scenario::broadcast ||
                      plan.scenario == Scenario::batch || plan.scenario == Scenario::device ||
                      (plan.scenario == Scenario::game && plan.game_form == GameForm::relay);
  if (!is_fit) return "--batch is of echo, broadcast, batch, device and --game relay";
  if (!plan.prefix.empty()) return "--prefix is not for envelopes";
  plan.target.headers += "Sec-WebSocket-Protocol: ";
  plan.target.headers +=
      is_flat ? codec::envelope::flatbuffers_subprotocol : codec::envelope::json_subprotocol;
  plan.target.headers += "\r\n";
  return {};
}

std::string complete_replay(Plan& plan) {
  if (plan.script == nullptr) return "the scenario replay needs a recording: --replay FILE";
  if (plan.rate != 0 || plan.is_shared()) return "--rate and --members are of the recording";
  plan.members = plan.script->members;
  plan.rooms = plan.copies;
  plan.warm_up_ns = 0;
  plan.duration_ns =
      static_cast<std::uint64_t>(static_cast<double>(plan.script->length_ns) / plan.speed) + 1;
  plan.senders = 1;  // nobody's messages are checked
  plan.includes_sender = true;
  return complete_rooms(plan);
}

std::string complete_device(Plan& plan) {
  if (plan.text || plan.envelopes == BatchFormat::json_text) return "devices send no text";
  if (plan.rate != 0) return "--rate is not of the scenario device: there is --period";
  if (plan.period_ns == 0) return "--period must be longer than nothing";
  plan.rate = plan.connections * 1e9 / static_cast<double>(plan.period_ns);
  return {};
}

std::string complete_scenario(Plan& plan, bool has_rooms) {
  switch (plan.scenario) {
    case Scenario::agents: plan.text = true; [[fallthrough]];
    case Scenario::broadcast:
      if (plan.members == 0) plan.members = 10;
      return complete_rooms(plan);
    case Scenario::batch:
      if (plan.envelopes == BatchFormat::none) plan.envelopes = BatchFormat::flatbuffers;
      if (plan.batched == 0) plan.batched = 100;
      return plan.is_shared() ? complete_rooms(plan) : "";
    case Scenario::replay: return complete_replay(plan);
    case Scenario::game: return complete_game(plan, has_rooms);
    default: break;
  }
  if (plan.is_shared()) return "--members is of broadcast, batch, agents and game";
  return plan.scenario == Scenario::device ? complete_device(plan) : "";
}

// Over bare TCP there are messages, and nothing else.
std::string check_bare(const Plan& plan) {
  switch (plan.scenario) {
    case Scenario::echo:
    case Scenario::broadcast:
    case Scenario::connect:
    case Scenario::device:
    case Scenario::game: break;
    default: return "tcp:// is for echo, broadcast, connect, device and game";
  }
  return plan.target.headers.empty() ? "" : "tcp:// has no handshake for --batch and --header";
}

// What fits together; fills in what follows from other values.
std::string complete(Plan& plan, bool has_rooms) {
  std::string error = complete_scenario(plan, has_rooms);
  if (error.empty()) error = complete_envelopes(plan);
  if (!error.empty()) return error;
  const std::size_t least = plan.text ? Stationery::text_bytes_min : Stationery::binary_bytes_min;
  if (plan.sizes.least < least) {
    return "--size must be at least " + std::to_string(least) + ": the number and the checksum";
  }
  if (plan.threads > plan.connections / plan.room_connections()) {
    return "--threads can't be more than there are " +
           std::string(plan.is_shared() ? "rooms" : "connections");
  }
  if (plan.duration_ns == 0) return "--duration must be longer than nothing";
  return {};
}

// A file, or standard output for "-". "" or what went wrong.
std::string write_out(const std::string& file, const std::string& text) {
  if (file == "-") {
    std::cout << text << std::flush;
    return {};
  }
  std::ofstream stream(file);
  stream << text << std::flush;
  return stream ? "" : file + " can't be written";
}

int fail(const std::string& problem) {
  std::fprintf(stderr, "ringroom load: %s\n", problem.c_str());
  return unusable;
}

int report(const Result& result) {
  const Plan& plan = result.plan;
  const Judgement judgement = judge(result);
  std::FILE* const people = plan.json_file == "-" ? stderr : stdout;
  if (!plan.quiet) std::fputs(summary(result).c_str(), people);
  std::fputs(judgement.text.c_str(), people);
  std::fflush(people);
  const json made = to_json(result);
  std::string problem;
  if (!plan.json_file.empty()) problem = write_out(plan.json_file, made.dump(2) + "\n");
  if (problem.empty() && !plan.html_file.empty()) {
    problem = write_out(plan.html_file, html_page(made));
  }
  if (!problem.empty()) return fail(problem);
  return judgement.is_met ? 0 : 1;
}

int compare_files(const std::vector<std::string>& files) {
  std::vector<json> results;
  for (const std::string& file : files) {
    std::ifstream stream(file);
    json& result = results.emplace_back(json::parse(stream, nullptr, false));
    if (!result.is_object() || !result.contains("latency_us")) {
      return fail(file + " is no result of --json");
    }
  }
  std::fputs(compare(results[0], results[1]).c_str(), stdout);
  return 0;
}

}  // namespace

Command parse_command(int argc, const char* const* argv) {
  const std::string program = argv[0];
  CLI::App app(about, program);
  app.get_formatter()->column_width(31);
  app.footer(footer + ("\n" + expectations_help()));
  Given given;
  add_flags(app, given);
  app.set_help_flag();  // and again, to have it last
  app.set_help_flag("-h,--help", "show this help")->group("Output");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return {{}, {}, app.help(), 0};
  } catch (const CLI::ParseError& error) {
    return refused(program, error.what());
  }
  if (!given.compared.empty()) return {{}, given.compared, {}, 0};
  if (given.url.empty()) return refused(program, "needs a URL, such as ws://127.0.0.1:8787/path");
  Plan plan;
  std::string error = apply_flags(given, plan);
  const bool has_rooms = app.count("--rooms") > 0;
  if (error.empty()) error = complete(plan, has_rooms);
  if (!error.empty()) return refused(program, error);
  base::Parsed<Target> target = parse_target(given.url);
  if (!target.value) return refused(program, "'" + given.url + "' " + target.error);
  if (target.value->is_bare) error = check_bare(plan);
  if (!error.empty()) return refused(program, error);
  target.value->headers = plan.target.headers;
  if (plan.scenario == Scenario::device) target.value->add_query("protocol=binary");
  plan.target = std::move(*target.value);
  return {std::move(plan), {}, {}, 0};
}

int main(int argc, const char* const* argv) {
  Command command = parse_command(argc, argv);
  if (!command.output.empty()) {
    std::fputs(command.output.c_str(), command.exit_code == 0 ? stdout : stderr);
    return command.exit_code;
  }
  if (!command.compared.empty()) return compare_files(command.compared);
  Plan& plan = *command.plan;
  std::string problem = check_pids(plan.server_pids);
  if (problem.empty()) problem = prepare_machine(plan);
  if (!problem.empty()) return fail(problem);
  const Outcome outcome = run(plan);
  if (!outcome.failure.empty()) return fail(outcome.failure);
  return report(outcome.result);
}

}  // namespace ringroom::load
