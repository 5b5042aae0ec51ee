// The command line of `ringroom serve` and its --config file, made into ServerOptions. Used once,
// by the main thread, before anything runs. What is wrong is a value with a text for the user.
#pragma once

#include <ringroom/server.h>

#include "base/log.h"

#include <optional>
#include <string>

namespace ringroom::server {

/// What the user asked for.
struct Settings {
  ServerOptions options;
  base::LogLevel log_level = base::LogLevel::info;
};

/// Settings, or what to print instead: the help (exit code 0, for standard output) or what is wrong
/// (exit code 1, for standard error).
struct Command {
  std::optional<Settings> settings;
  std::string output;
  int exit_code = 0;
};

/// argv[0] is the program as the help should name it. Flags win over the file of --config, which
/// wins over the defaults; --agents and --env of both add up.
Command parse_command(int argc, const char* const* argv);

/// What would keep a server from doing as it is told, whoever filled the options in: limits,
/// addresses, nothing that only the machine knows. Empty if all is well.
std::string check(const ServerOptions& options);

}  // namespace ringroom::server
