// Routes and entry hooks: who decides where a request goes, and whether it may, before a room is
// asked, made or woken. They run on the thread of whichever shard accepted the client, several at
// once: what they share must not change, or be guarded. They may not block. Values; any thread.
#pragma once

#include "ringroom/close_code.h"
#include "ringroom/request.h"
#include "ringroom/response.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ringroom {

/// Headers for every answer to a plain request (RFC 9110 names and values), and for the empty 200
/// that answers OPTIONS in the agent's place.
using CorsHeaders = std::vector<Response::Header>;

/// What AgentOptions::cors stands for: any origin, any header, GET, POST, HEAD and OPTIONS, for a
/// day; no cookies.
CorsHeaders cors_any_origin();

/// The room that a request is for.
struct RouteTarget {
  std::string agent;  ///< the class by its name or its segment: "ChatRoom" or "chat-room"
  std::string name;   ///< of the room: 1 to 1,024 bytes of UTF-8
  /// If there are any, these count and not those of the class.
  CorsHeaders cors = {};
};

/// Splits `/{prefix}/{agent}/{name}[/more]` as the server does for its own prefixes (Agents SDK,
/// routeAgentRequest): empty segments count for nothing, what is percent-encoded stays so. Nothing
/// if the path (Request::path()) isn't below the prefix, or names no room.
std::optional<RouteTarget> match_agent_path(std::string_view path,
                                            std::string_view prefix = "agents");

/// Accepts a WebSocket and closes it at once. Clients of the Agents SDK retry a refused handshake
/// for ever, but give up after a code of 4000 to 4999, or 1008; 4401 and 4403 stand for the HTTP
/// statuses. A plain request is answered with the status that the code stands for, else 403, and
/// the reason as text.
struct CloseAfterAccept {
  CloseCode code;
  std::string reason;  ///< at most 123 bytes of UTF-8
};

/// What hooks and routes know beside the request. Borrowed until they return.
class HookContext {
 public:
  HookContext(const std::map<std::string, std::string>& env,
              std::string_view class_name,
              std::string_view room)
      : env_(env), class_name_(class_name), room_(room) {}
  /// --env KEY=VALUE of the server: the place of secrets to compare with.
  std::optional<std::string_view> env(const std::string& key) const {
    const auto found = env_.find(key);
    if (found == env_.end()) return std::nullopt;
    return found->second;
  }
  /// Empty for routes, which are to find it out.
  std::string_view class_name() const { return class_name_; }
  std::string_view room() const { return room_; }

 private:
  const std::map<std::string, std::string>& env_;
  std::string_view class_name_;
  std::string_view room_;
};

/// Nothing lets the request pass; a Request passes in its place; the others refuse it. What a hook
/// throws is logged and answered with 500 and the text.
using ConnectDecision = std::optional<std::variant<Response, CloseAfterAccept, Request>>;
using RequestDecision = std::optional<std::variant<Response, Request>>;
using BeforeConnect = ConnectDecision (*)(const Request& request, const HookContext& context);
using BeforeRequest = RequestDecision (*)(const Request& request, const HookContext& context);

/// Nothing leaves the request to the routes that follow, and at last to the server's prefixes.
using RouteDecision = std::optional<std::variant<RouteTarget, Response, CloseAfterAccept>>;
using RouteHandler =
    std::function<RouteDecision(const Request& request, const HookContext& context)>;

namespace detail {

struct RouteInfo {
  std::string path;
  RouteHandler handler;
};

struct RouteRegistration {
  RouteInfo info;
  RouteRegistration* next = nullptr;
};

// Hidden, so that each shared object has a list of its own.
__attribute__((visibility("hidden"))) inline RouteRegistration* route_registrations = nullptr;

struct RouteRegistrar {
  explicit RouteRegistrar(RouteRegistration& registration) {
    registration.next = route_registrations;
    route_registrations = &registration;
  }
};

}  // namespace detail

}  // namespace ringroom

/// Announces a route as Server::route does, from a shared object of agents too:
/// `RINGROOM_ROUTE(user, "/user", &room_of_session)`. At namespace scope; the first argument is a
/// name of its own for it, the last a RouteHandler, a lambda too.
#define RINGROOM_ROUTE(Name, path, ...)                                                            \
  namespace {                                                                                      \
  ::ringroom::detail::RouteRegistration ringroom_route_##Name{{path, __VA_ARGS__}};                \
  const ::ringroom::detail::RouteRegistrar ringroom_route_registrar_##Name{ringroom_route_##Name}; \
  }
