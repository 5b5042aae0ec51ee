// command: `ringroom load` as a whole: command line, run, results, exit code. The main thread's.
#pragma once

#include "load/plan.h"

#include <optional>
#include <string>

namespace ringroom::load {

/// What was asked for: a plan, a comparison of two results, or something to print.
struct Command {
  std::optional<Plan> plan;
  std::vector<std::string> compared;  ///< two files of --json
  std::string output;  ///< the help (exit code 0, for standard output) or what is wrong
  int exit_code = 0;
};

/// argv[0] is the program as the help should name it. Looks the URL's host up.
Command parse_command(int argc, const char* const* argv);

/// Exit code: 0, 1 if an expectation was missed, 2 if nothing could be measured.
int main(int argc, const char* const* argv);

}  // namespace ringroom::load
