#include "ringroom/server.h"

#include "base/log.h"
#include "server/admin.h"
#include "server/bell.h"
#include "server/crash.h"
#include "server/listeners.h"
#include "server/machine.h"
#include "server/options.h"
#include "server/origin.h"
#include "server/plugins.h"
#include "server/shard_threads.h"
#include "server/site.h"
#include "server/stop_signals.h"
#include "server/watchdog.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <stdexcept>

#include <unistd.h>

namespace ringroom {

namespace {

using Clock = std::chrono::steady_clock;

// How often the main thread looks for callbacks that hold their shard: half of what is too long.
// Costs 0.06 % of a core.
constexpr std::chrono::milliseconds look_every{50};
// How long the sockets of a server that was killed may be in our way: 7 ms at the median with 5
// connections, 75 with 3,000.
constexpr std::chrono::milliseconds listen_patience{3'000};
// The promise is ten seconds from signal to exit; the shards' own timeouts are shorter than this.
constexpr std::chrono::milliseconds stop_within{9'000};

void print_error(const std::string& text) {
  std::fputs(("ringroom: " + text + "\n").c_str(), stderr);
}

}  // namespace

// What run() is made of, in the order of its life: prepare, start, watch, end.
class Server::Body {
 public:
  Body(ServerOptions options, const detail::Plugin& own)
      : options_(std::move(options)), own_(own) {}

  int run();
  void stop();
  void route(std::string_view path, RouteHandler handler);

 private:
  std::string prepare();
  std::string choose_shards();
  std::string gather();
  std::string open_listeners();
  void make_config();
  void make_fleet();
  void log_start() const;
  void announce() const;

  int watch();
  bool should_stop(const server::ShardThreads& threads) const;
  [[noreturn]] void give_up(const server::ShardThreads& threads, const std::string& why) const;

  ServerOptions options_;
  detail::Plugin own_;
  std::vector<unsigned> cores_;
  unsigned shards_ = 0;
  std::uint32_t files_max_ = 0;
  std::uint32_t databases_max_ = 0;
  server::Classes classes_;
  std::vector<detail::RouteInfo> routes_;  // of route(): they come before those of classes_
  server::Listeners listeners_;
  server::Listeners admin_listener_;
  std::optional<server::Site> site_;
  server::Admin admin_;
  shard::Config config_;
  std::optional<shard::Fleet> fleet_;
  server::Bell bell_;
  std::atomic<bool> stop_requested_ = false;
  std::optional<server::StopSignals> signals_;
};

int Server::Body::run() {
  const std::string error = prepare();
  if (!error.empty()) {
    print_error(error);
    return 1;
  }
  log_start();
  server::install_crash_handler(&shard::Fleet::current_callback);
  const server::CrashStack stack;
  signals_.emplace(bell_);
  const int exit_code = watch();
  signals_.reset();
  return exit_code;
}

void Server::Body::stop() {
  stop_requested_.store(true);
  bell_.ring();
}

void Server::Body::route(std::string_view path, RouteHandler handler) {
  const auto normal = shard::url_path(path);
  if (!normal) throw std::invalid_argument("'" + std::string(path) + "' is no path of a URL");
  routes_.push_back({*normal, std::move(handler)});
}

// Everything that can fail before a thread is started. Returns what did.
std::string Server::Body::prepare() {
  std::string error = server::check(options_);
  if (error.empty()) error = choose_shards();
  if (error.empty()) error = gather();
  if (error.empty()) error = open_listeners();
  if (!error.empty()) return error;
  make_config();
  make_fleet();
  return fleet_->open_data();
}

std::string Server::Body::choose_shards() {
  cores_ = server::allowed_cores();
  shards_ = options_.shards == 0 ? static_cast<unsigned>(cores_.size()) : options_.shards;
  const server::OpenFiles files = server::raise_open_files(shards_);
  files_max_ = files.files_max;
  databases_max_ = files.databases_max;
  return files.error;
}

std::string Server::Body::gather() {
  classes_ = server::gather_classes(own_, options_.agents);
  if (!classes_.error.empty()) return classes_.error;
  for (const auto& [name, props] : options_.props) {
    bool is_served = false;
    for (const detail::AgentClassInfo& info : classes_.all) is_served |= info.name == name;
    if (!is_served) return "there are props for class " + name + ", but no such class is served";
  }
  return {};
}

std::string Server::Body::open_listeners() {
  listeners_ = server::listen_on(*base::parse_address(options_.listen).value, shards_, "--listen",
                                 listen_patience);
  if (!listeners_.error.empty() || options_.admin == "off") return listeners_.error;
  admin_listener_ =
      server::listen_on(*base::parse_address(options_.admin).value, 1, "--admin", listen_patience);
  return admin_listener_.error;
}

void Server::Body::make_config() {
  config_.classes = classes_.all;
  config_.routes = routes_;
  config_.routes.insert(config_.routes.end(), classes_.routes.begin(), classes_.routes.end());
  if (!options_.prefixes.empty()) config_.prefixes.clear();
  for (const std::string& prefix : options_.prefixes) {
    config_.prefixes.push_back(*shard::url_path(prefix));
  }
  for (const std::string& origin : options_.allow_origins) {
    config_.allow_origins.push_back(*server::parse_origin(origin).value);
  }
  config_.env = options_.env;
  config_.props = options_.props;
  config_.hibernate_after = options_.hibernate_after;
  config_.handshake_timeout = options_.handshake_timeout;
  config_.ping_every = options_.ping_every;
  config_.message_bytes_max = options_.message_bytes_max;
  config_.attachment_bytes_max = options_.attachment_bytes_max;
  config_.outbox_bytes_max = options_.outbox_bytes_max;
  config_.body_bytes_max = options_.body_bytes_max;
  config_.record_bytes_max = options_.record_bytes_max;
  config_.room_connections_max = options_.room_connections_max;
  config_.database_bytes_max = options_.database_bytes_max;
  config_.databases_open_max = std::min<std::size_t>(options_.databases_open_max, databases_max_);
  config_.room_files_max = databases_max_;
  config_.query_time_max = options_.query_time_max;
  config_.files_max = files_max_;
  config_.ring_features = options_.ring_features;
  config_.data = options_.data;
  config_.durability = options_.durability;
  site_.emplace(classes_.all, config_.prefixes.front());
  config_.site = &*site_;
  config_.admin = &admin_;
}

void Server::Body::make_fleet() {
  std::vector<int> sockets;
  for (const server::Listener& listener : listeners_.sockets) {
    sockets.push_back(listener.descriptor());
  }
  const int admin_socket =
      admin_listener_.sockets.empty() ? -1 : admin_listener_.sockets.front().descriptor();
  fleet_.emplace(config_, std::move(sockets), admin_socket);
  admin_.set_fleet(*fleet_);
}

void Server::Body::log_start() const {
  std::string names;
  for (const detail::AgentClassInfo& info : classes_.all) {
    names += names.empty() ? "" : ", ";
    names += info.name;
  }
  base::log_info("ringroom " RINGROOM_VERSION " serves " + (names.empty() ? "no agents" : names));
  base::log_info("up to " + base::grouped(files_max_ - shard::files_reserve(files_max_)) +
                 " connections a shard (RLIMIT_NOFILE, at most 1,048,576, less a reserve of " +
                 base::grouped(shard::files_reserve(files_max_)) + ")");
}

// The one line on standard output.
void Server::Body::announce() const {
  base::log_info("ring: " + fleet_->ring_description());
  const std::string admin = admin_listener_.sockets.empty()
                                ? "admin off"
                                : "admin http://" + admin_listener_.address.text();
  const std::string shards = std::to_string(shards_) + (shards_ == 1 ? " shard" : " shards");
  std::printf("ringroom listening on http://%s (%s, %s)\n", listeners_.address.text().c_str(),
              shards.c_str(), admin.c_str());
  std::fflush(stdout);
}

bool Server::Body::should_stop(const server::ShardThreads& threads) const {
  return signals_->count() > 0 || stop_requested_.load() || !threads.failure().empty();
}

int Server::Body::watch() {
  server::ShardThreads threads(*fleet_, cores_, bell_);
  server::Watchdog watchdog(*fleet_);
  bool is_announced = false;
  std::optional<Clock::time_point> deadline;
  while (!threads.all_ended()) {
    if (!is_announced && !deadline && threads.all_ready()) {
      announce();
      is_announced = true;
    }
    if (!deadline && should_stop(threads)) {
      if (is_announced) base::log_info("stopping: connections are closed with 1001");
      deadline = Clock::now() + stop_within;
      fleet_->stop();
    }
    if (signals_->count() > 1) give_up(threads, "a second signal came");
    if (deadline && Clock::now() > *deadline) give_up(threads, "the time to stop is over");
    bell_.wait(look_every);
    watchdog.look(Clock::now());
  }
  const std::string failure = threads.failure();
  if (failure.empty()) return 0;
  print_error(failure);
  return 1;
}

// A shard that doesn't come back can't be ended: the process is, and says what that costs.
void Server::Body::give_up(const server::ShardThreads& threads, const std::string& why) const {
  for (unsigned i = 0; i < shards_; ++i) {
    if (!threads.is_running(i)) continue;
    const std::string stuck = fleet_->callback_label(i, fleet_->callback_sequence(i));
    const std::uint64_t open = fleet_->stats(i).connections_open.value();
    base::log_error("shard " + std::to_string(i) + " has not ended" +
                    (stuck.empty() ? "" : ", held by a callback of " + stuck) +
                    "; what was queued there is lost, and its connections end without a close "
                    "frame: " +
                    base::grouped(open));
  }
  base::log_error("leaving at once with exit code 1: " + why);
  _exit(1);
}

Server::Server(ServerOptions options, const detail::Plugin& own_classes)
    : body_(std::make_unique<Body>(std::move(options), own_classes)) {}

Server::~Server() = default;

void Server::route(std::string_view path, RouteHandler handler) {
  body_->route(path, std::move(handler));
}

int Server::run() {
  return body_->run();
}

void Server::stop() {
  body_->stop();
}

int detail::serve(int argc, char** argv, const Plugin& own_classes) {
  server::Command command = server::parse_command(argc, argv);
  if (!command.settings) {
    std::fputs(command.output.c_str(), command.exit_code == 0 ? stdout : stderr);
    return command.exit_code;
  }
  base::set_log_level(command.settings->log_level);
  return Server(std::move(command.settings->options), own_classes).run();
}

}  // namespace ringroom
