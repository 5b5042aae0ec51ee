#include "server/options.h"

#include "base/address.h"
#include "base/values.h"
#include "server/config_file.h"
#include "server/flags.h"
#include "server/origin.h"
#include "shard/config.h"

#include <array>
#include <vector>

#include <CLI/CLI.hpp>

namespace ringroom::server {

namespace {

constexpr std::uint64_t GiB = 1ULL << 30;
using std::chrono::milliseconds;

Command refused(const std::string& program, const std::string& error) {
  return {{}, program + ": " + error + "\nRun '" + program + " --help' to see every flag.\n", 1};
}

// What stood after each flag, in the order of flags(); empty: it was not given.
using Given = std::vector<std::vector<std::string>>;

void add_flags(CLI::App& app, Given& given) {
  given.resize(flags().size());
  for (std::size_t i = 0; i < flags().size(); ++i) {
    const Flag& flag = flags()[i];
    CLI::Option* option = app.add_option("--" + std::string(flag.name), given[i], flag.help);
    option->type_name(flag.value)->group(flag.group)->expected(1)->allow_extra_args(false);
    option->multi_option_policy(flag.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                                : CLI::MultiOptionPolicy::TakeLast);
  }
}

std::string apply_file(const Given& given, Settings& settings) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (flags()[i].name != std::string_view("config") || given[i].empty()) continue;
    return read_config_file(given[i].back(), settings);
  }
  return {};
}

std::string apply_flags(const Given& given, Settings& settings) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Flag& flag = flags()[i];
    if (flag.apply == nullptr) continue;
    for (const std::string& text : given[i]) {
      const std::string error = flag.apply(settings, text);
      if (!error.empty()) return "--" + std::string(flag.name) + ": '" + text + "' " + error;
    }
  }
  return {};
}

// "" or what is wrong with the value of a flag.
std::string check_number(const char* flag,
                         std::uint64_t value,
                         std::uint64_t least,
                         std::uint64_t most) {
  if (value >= least && value <= most) return {};
  return std::string(flag) + " must be between " + base::grouped(least) + " and " +
         base::grouped(most) + ", not " + base::grouped(value);
}

std::string check_duration(const char* flag,
                           milliseconds value,
                           milliseconds least,
                           milliseconds most) {
  if (value >= least && value <= most) return {};
  return std::string(flag) + " must be between " + base::text_of(least) + " and " +
         base::text_of(most) + ", not " + base::text_of(value);
}

std::string check_prefixes(const std::vector<std::string>& prefixes) {
  for (const std::string& prefix : prefixes) {
    if (!shard::url_path(prefix)) {
      return "--prefix: '" + prefix +
             "' is no path: write it as it stands in a URL, such as api/v2";
    }
  }
  return {};
}

std::string check_origins(const std::vector<std::string>& origins) {
  for (const std::string& origin : origins) {
    const base::Parsed<std::string> parsed = parse_origin(origin);
    if (!parsed.value) return "--allow-origin: '" + origin + "' " + parsed.error;
  }
  return {};
}

std::string check_address(const char* flag, const std::string& text) {
  const base::Parsed<base::Address> address = base::parse_address(text);
  return address.value ? "" : std::string(flag) + ": '" + text + "' " + address.error;
}

}  // namespace

Command parse_command(int argc, const char* const* argv) {
  const std::string program = argv[0];
  CLI::App app("Hosts rooms: serves HTTP and WebSocket clients until SIGINT or SIGTERM.\n",
               program);
  app.get_formatter()->column_width(31);
  app.footer(
      "When all is ready, one line on standard output says where. Logs go to standard\n"
      "error. Exit code: 0 after a stop that lost nothing, else 1.");
  Given given;
  add_flags(app, given);
  app.set_help_flag();  // and again, to have it last
  app.set_help_flag("-h,--help", "show this help")->group("Operation");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return {{}, app.help(), 0};
  } catch (const CLI::ParseError& error) {
    return refused(program, error.what());
  }
  Settings settings;
  std::string error = apply_file(given, settings);
  if (error.empty()) error = apply_flags(given, settings);
  if (error.empty()) error = check(settings.options);
  if (!error.empty()) return refused(program, error);
  return {std::move(settings), {}, 0};
}

std::string check(const ServerOptions& options) {
  using namespace std::chrono_literals;
  const std::array<std::string, 16> errors = {
      check_address("--listen", options.listen),
      options.admin == "off" ? "" : check_address("--admin", options.admin),
      check_prefixes(options.prefixes),
      check_origins(options.allow_origins),
      options.shards == 0 ? "" : check_number("--shards", options.shards, 1, 256),
      check_number("--message-bytes-max", options.message_bytes_max, 1, GiB),
      check_number("--outbox-bytes-max", options.outbox_bytes_max, 1, GiB),
      check_number("--body-bytes-max", options.body_bytes_max, 0, GiB),
      check_number("--record-bytes-max", options.record_bytes_max, 0, GiB),
      check_number("--attachment-bytes-max", options.attachment_bytes_max, 0,
                   limits::attachment_bytes_max_limit),
      check_number("--room-connections-max", options.room_connections_max, 1, 1ULL << 20),
      check_number("--database-bytes-max", options.database_bytes_max, 64ULL << 10, 1024 * GiB),
      check_number("--databases-open-max", options.databases_open_max, 1, 1ULL << 20),
      check_duration("--query-time-max", options.query_time_max, 1ms, 1h),
      check_duration("--handshake-timeout", options.handshake_timeout, 1ms, 1h),
      options.ping_every == 0ms ? ""
                                : check_duration("--ping-every", options.ping_every, 10ms, 24h),
  };
  for (const std::string& error : errors) {
    if (!error.empty()) return error;
  }
  return {};
}

}  // namespace ringroom::server
