// Server: Ringroom inside an executable of one's own. Made and run by one thread (usually main);
// stop() from any thread or signal handler. Owns its shards, which are threads of their own.
#pragma once

#include "ringroom/json.h"
#include "ringroom/limits.h"
#include "ringroom/plugin.h"
#include "ringroom/route.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ringroom {

enum class Durability { strict, process };

/// The flags of `ringroom serve` under the same names; see `ringroom serve --help`.
struct ServerOptions {
  std::string listen = "127.0.0.1:8787";
  /// 0: as many as there are cores in the affinity mask.
  unsigned shards = 0;
  std::string data = "./ringroom-data";
  Durability durability = Durability::strict;
  /// nullopt: never.
  std::optional<std::chrono::milliseconds> hibernate_after = std::chrono::seconds(10);
  std::vector<std::string> agents;
  std::map<std::string, std::string> env;
  /// What on_start gets, by class name.
  std::map<std::string, json> props;
  /// "off": no admin address.
  std::string admin = "127.0.0.1:8788";
  std::size_t message_bytes_max = limits::message_bytes_max_default;
  std::size_t attachment_bytes_max = limits::attachment_bytes_max_default;
  std::size_t outbox_bytes_max = limits::outbox_bytes_max_default;
  std::size_t body_bytes_max = limits::body_bytes_max_default;
  std::size_t room_connections_max = limits::room_connections_max_default;
  std::size_t database_bytes_max = limits::database_bytes_max_default;
  std::size_t databases_open_max = limits::databases_open_max_default;
  std::chrono::milliseconds query_time_max = std::chrono::seconds(5);
  /// What one recording of a room may grow to, on request of the admin address; 0: nothing is ever
  /// recorded.
  std::size_t record_bytes_max = 0;
  /// Where rooms are: /{prefix}/{class}/{room}; each may have several segments, "/" has none. None:
  /// "agents".
  std::vector<std::string> prefixes;
  /// The origins whose pages may reach rooms and routes, such as "https://game.example", or "null";
  /// none: all. Requests without an Origin header don't come from a page of another site.
  std::vector<std::string> allow_origins;
  std::chrono::milliseconds handshake_timeout = std::chrono::seconds(10);
  /// Zero: the server never pings.
  std::chrono::milliseconds ping_every = std::chrono::milliseconds(0);
  /// Optional ring features to use, by name; nullopt: all that the kernel has.
  std::optional<std::vector<std::string>> ring_features;
};

namespace detail {
int serve(int argc, char** argv, const Plugin& own_classes);
}

class Server {
 public:
  /// Serves the classes announced in the executable or shared object that calls this, and those of
  /// options.agents.
  explicit Server(ServerOptions options) : Server(std::move(options), detail::this_plugin()) {}
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Gives `path` and all below it to a handler that names the room: for clients with `basePath`,
  /// which learn class and name from the identity frame. Case-sensitive, by whole segments; routes
  /// are asked in the order in which they came, before the prefixes. Before run(). Throws
  /// std::invalid_argument if no URL has such a path.
  void route(std::string_view path, RouteHandler handler);

  /// Serves until stop() or SIGINT/SIGTERM, then closes every connection with 1001 and returns 0.
  /// What prevents the start is said on standard error with advice, and 1 is returned. A callback
  /// that doesn't return within 9 s of the stop, or a second signal, ends the process with exit
  /// code 1 and a log of what that loses. Once per Server; of several in one process, one gets the
  /// signals.
  int run();
  /// Asks run() to return, or not to begin. Async-signal-safe.
  void stop();

 private:
  class Body;
  friend int detail::serve(int argc, char** argv, const detail::Plugin& own_classes);
  Server(ServerOptions options, const detail::Plugin& own_classes);

  std::unique_ptr<Body> body_;
};

/// The whole `ringroom serve` command line for an executable of one's own: parses the flags
/// (argv[0] is the program), serves, returns the exit code.
inline int serve(int argc, char** argv) {
  return detail::serve(argc, argv, detail::this_plugin());
}

}  // namespace ringroom
