#include "load/command.h"

#include "base/values.h"
#include "load/compare.h"
#include "load/complete.h"
#include "load/flags.h"
#include "load/html.h"
#include "load/machine.h"
#include "load/run.h"
#include "load/scenario_file.h"

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
struct Order {
  std::string url;
  std::string scenario_file;
  bool wants_example = false;
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

void add_flags(CLI::App& app, Order& given) {
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
  app.add_option("--scenario-file", given.scenario_file,
                 "a mix of scenarios, and phases (ramp, hold, spike),\n"
                 "as TOML or JSON; its keys are these flags, and what\n"
                 "stands on the command line counts more")
      ->type_name("FILE")
      ->group("Scenario");
  app.add_flag("--scenario-example", given.wants_example,
               "no run: print such a file, with comments")
      ->group("Scenario");
}

std::string apply_flags(const Order& given, Plan& plan) {
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

std::string make_target(const std::string& url, Plan& plan) {
  if (url.empty()) return "needs a URL, such as ws://127.0.0.1:8787/path";
  base::Parsed<Target> target = parse_target(url);
  if (!target.value) return "'" + url + "' " + target.error;
  target.value->headers = plan.target.headers;
  plan.target = std::move(*target.value);
  return {};
}

std::string make_plan(const CLI::App& app, const Order& given, Plan& plan) {
  ScenarioFile file;
  std::string error;
  if (!given.scenario_file.empty()) error = file.read(given.scenario_file);
  if (error.empty()) error = file.apply_settings(plan);
  if (error.empty()) error = apply_flags(given, plan);
  if (error.empty()) error = make_target(given.url.empty() ? file.url() : given.url, plan);
  if (!error.empty()) return error;
  for (const char* flag : {"rooms", "connections", "duration"}) {
    if (app.count(std::string("--") + flag) > 0) file.note_given(flag);
  }
  return file.arrange(plan);
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
  Order given;
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
  if (given.wants_example) return {{}, {}, scenario_example(), 0};
  if (!given.compared.empty()) return {{}, given.compared, {}, 0};
  Plan plan;
  std::string error = make_plan(app, given, plan);
  if (!error.empty()) return refused(program, error);
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
