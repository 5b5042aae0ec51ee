// What the recorded system's own code decided before an agent was asked: a path without a class,
// further names of a class, CORS and a refusal by query.
#include "recorded.h"

using namespace ringroom;

namespace {

RouteDecision room_of_session(const Request&, const HookContext&) {
  return RouteTarget{"CounterAgent", "from-session"};
}

RouteDecision raw_socket(const Request& request, const HookContext&) {
  return RouteTarget{"RawSocket", std::string(request.path().substr(std::string("/raw/").size()))};
}

Response denied() {
  return Response::text(401, R"(denied {"className":"CounterAgent","name":"x"})");
}

RouteDecision by_query_or_name(const Request& request, const HookContext&) {
  auto target = match_agent_path(request.path());
  if (!target) return std::nullopt;
  if (request.query("hook") == "deny") return denied();
  if (request.query("cors")) target->cors = cors_any_origin();
  const bool is_counter = target->agent == "screaming-counter" || target->agent == "under-score";
  if (is_counter) target->agent = "CounterAgent";
  if (is_counter || !target->cors.empty()) return *std::move(target);
  return std::nullopt;
}

}  // namespace

RINGROOM_ROUTE(user, "/user", &room_of_session)
RINGROOM_ROUTE(raw, "/raw", &raw_socket)
RINGROOM_ROUTE(agents, "/agents", &by_query_or_name)
