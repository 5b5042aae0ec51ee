// Router: which room a request is for, and whether it may go there: routes, prefixes, classes,
// origins and the hooks of classes, in this order. One per shard, on its thread; holds a map of the
// classes. What user code throws here becomes a log line and a 500.
#pragma once

#include "agent/watch.h"
#include "ringroom/agent_class.h"
#include "ringroom/route.h"
#include "shard/config.h"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace ringroom::shard {

/// Neither a route nor a prefix knows the path: the server's own page, or 404.
struct Nowhere {};

/// A room of a class that is served. `info` is the configuration's.
struct Destination {
  const detail::AgentClassInfo* info;
  std::string room;
  CorsHeaders cors;
};

using Routed = std::variant<Nowhere, Destination, Response, CloseAfterAccept>;

class Router {
 public:
  /// `config` and `watch` must outlive this.
  Router(const Config& config, agent_runtime::Watch& watch);

  Routed route(const Request& request);
  /// The hooks of the destination's class.
  ConnectDecision before_connect(const Destination& to, const Request& request);
  RequestDecision before_request(const Destination& to, const Request& request);

  /// By its name or its segment; null if it isn't served.
  const detail::AgentClassInfo* find_class(std::string_view name) const;

 private:
  std::optional<Response> check_origin(const Request& request) const;
  Routed follow(const detail::RouteInfo& route, RouteTarget target) const;
  const detail::AgentClassInfo* find_segment(std::string_view segment) const;
  CorsHeaders cors_of(const detail::AgentClassInfo& info) const;
  template <typename Decision, typename Ask>
  Decision ask(const std::string& who, const HookContext& context, Ask ask);

  const Config& config_;
  agent_runtime::Watch& watch_;
  std::unordered_map<std::string, const detail::AgentClassInfo*> by_segment_;
};

/// 1 to 1,024 bytes of UTF-8.
bool is_room_name(std::string_view name);

/// Whether these can be headers: no control characters, names that are tokens.
bool can_be_sent(const CorsHeaders& headers);

/// What the code stands for among HTTP's statuses: 403 for 4403; 403 too for what stands for none.
int status_of(CloseCode code);

}  // namespace ringroom::shard
