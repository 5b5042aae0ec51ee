// The executable `ringroom`: picks the subcommand. The sample agents linked into it are served as
// any program's own classes are.
#include <ringroom/server.h>
#include <ringroom/version.h>

#include "connect/connect.h"
#include "connect/record.h"
#include "inspect/inspect.h"
#include "load/command.h"

#include <cstdio>
#include <string_view>
#include <vector>

namespace {

constexpr const char* help =
    "Ringroom hosts game rooms: stateful agents with WebSocket connections.\n"
    "\n"
    "Usage: ringroom SUBCOMMAND [OPTIONS]\n"
    "       ringroom --help | --version\n"
    "\n"
    "Subcommands:\n"
    "  serve    serve rooms until SIGINT or SIGTERM\n"
    "  load     load a WebSocket server, check its answers, and measure it\n"
    "  connect  talk to a room from a terminal or a script\n"
    "  rooms    list the rooms that are stored\n"
    "  sql      read the database of a room\n"
    "  record   record what the members of a room send, for 'ringroom load --replay'\n"
    "\n"
    "'ringroom SUBCOMMAND --help' shows the options of a subcommand.\n";

// The arguments of a subcommand, behind its name.
std::vector<char*> arguments_of(char* name, int argc, char** argv) {
  std::vector<char*> arguments = {name};
  arguments.insert(arguments.end(), argv + 2, argv + argc);
  return arguments;
}

int serve(int argc, char** argv) {
  char name[] = "ringroom serve";
  std::vector<char*> arguments = arguments_of(name, argc, argv);
  return ringroom::serve(static_cast<int>(arguments.size()), arguments.data());
}

int connect(int argc, char** argv) {
  char name[] = "ringroom connect";
  std::vector<char*> arguments = arguments_of(name, argc, argv);
  return ringroom::connect::run(static_cast<int>(arguments.size()), arguments.data());
}

int load(int argc, char** argv) {
  char name[] = "ringroom load";
  const std::vector<char*> arguments = arguments_of(name, argc, argv);
  return ringroom::load::main(static_cast<int>(arguments.size()), arguments.data());
}

int rooms(int argc, char** argv) {
  char name[] = "ringroom rooms";
  std::vector<char*> arguments = arguments_of(name, argc, argv);
  return ringroom::inspect::rooms(static_cast<int>(arguments.size()), arguments.data(),
                                  ringroom::detail::this_plugin());
}

int sql(int argc, char** argv) {
  char name[] = "ringroom sql";
  std::vector<char*> arguments = arguments_of(name, argc, argv);
  return ringroom::inspect::sql(static_cast<int>(arguments.size()), arguments.data());
}

int record(int argc, char** argv) {
  char name[] = "ringroom record";
  std::vector<char*> arguments = arguments_of(name, argc, argv);
  return ringroom::connect::record(static_cast<int>(arguments.size()), arguments.data());
}

int refuse(std::string_view argument) {
  std::fprintf(stderr,
               "ringroom: there is no subcommand '%.*s'\n"
               "Run 'ringroom --help' to see what there is.\n",
               static_cast<int>(argument.size()), argument.data());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view argument = argc > 1 ? argv[1] : "";
  if (argument == "serve") return serve(argc, argv);
  if (argument == "load") return load(argc, argv);
  if (argument == "connect") return connect(argc, argv);
  if (argument == "rooms") return rooms(argc, argv);
  if (argument == "sql") return sql(argc, argv);
  if (argument == "record") return record(argc, argv);
  if (argument == "--version") {
    std::puts("ringroom " RINGROOM_VERSION);
    return 0;
  }
  if (argument == "--help" || argument == "-h" || argument == "help") {
    std::fputs(help, stdout);
    return 0;
  }
  if (argc > 1) return refuse(argument);
  std::fputs(help, stderr);
  return 1;
}
