#include "shard/router.h"

#include "base/log.h"
#include "codec/http/characters.h"
#include "codec/http/cors.h"
#include "codec/http/route.h"
#include "codec/ws/close.h"
#include "codec/ws/utf8.h"
#include "ringroom/limits.h"

#include <algorithm>
#include <exception>
#include <span>
#include <utility>

namespace ringroom::shard {

using codec::http::RouteKind;
using detail::AgentClassInfo;

namespace {

constexpr const char* name_too_long = "the room's name is longer than 1024 bytes";

bool can_be_said(const CloseAfterAccept& close) {
  return may_be_sent(close.code) && codec::ws::is_valid_close_reason(close.reason);
}

Response mistake(const std::string& text) {
  base::log_error(text);
  return Response::text(500, text);
}

}  // namespace

bool is_room_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::room_name_bytes_max &&
         codec::ws::is_valid_utf8(std::as_bytes(std::span(name)));
}

bool can_be_sent(const CorsHeaders& headers) {
  return codec::http::are_valid_headers(headers);
}

int status_of(CloseCode code) {
  constexpr int application_codes = 4000;
  const int status = number(code) - application_codes;
  return status >= 400 && status <= 499 ? status : 403;
}

Router::Router(const Config& config, agent_runtime::Watch& watch) : config_(config), watch_(watch) {
  for (const AgentClassInfo& info : config_.classes) {
    by_segment_.emplace(codec::http::kebab(info.name), &info);
  }
}

const AgentClassInfo* Router::find_segment(std::string_view segment) const {
  const auto found = by_segment_.find(std::string(segment));
  return found == by_segment_.end() ? nullptr : found->second;
}

const AgentClassInfo* Router::find_class(std::string_view name) const {
  const AgentClassInfo* info = find_segment(codec::http::kebab(name));
  if (info != nullptr && info->name != name && codec::http::kebab(name) != name) return nullptr;
  return info;
}

Routed Router::route(const Request& request) {
  for (const detail::RouteInfo& route : config_.routes) {
    if (!codec::http::is_below(request.path(), route.path)) continue;
    if (auto refusal = check_origin(request)) return *std::move(refusal);
    const HookContext context(config_.env, {}, {});
    auto decision = ask<RouteDecision>("the route " + route.path, context,
                                       [&] { return route.handler(request, context); });
    if (!decision) continue;
    if (auto* target = std::get_if<RouteTarget>(&*decision)) {
      return follow(route, std::move(*target));
    }
    if (auto* response = std::get_if<Response>(&*decision)) return std::move(*response);
    return std::get<CloseAfterAccept>(*std::move(decision));
  }
  for (const std::string& prefix : config_.prefixes) {
    const codec::http::Route found = codec::http::parse_agent_path(request.path(), prefix);
    if (found.kind == RouteKind::none) continue;
    if (auto refusal = check_origin(request)) return *std::move(refusal);
    const AgentClassInfo* info = find_segment(found.class_segment);
    if (info == nullptr) return Response::text(400, "Invalid request");
    if (found.kind == RouteKind::room_name_too_long) return Response::text(500, name_too_long);
    return Destination{info, std::string(found.room), cors_of(*info)};
  }
  return Nowhere{};
}

// What a route's handler named, unless it named nothing that there is.
Routed Router::follow(const detail::RouteInfo& route, RouteTarget target) const {
  const AgentClassInfo* info = find_class(target.agent);
  if (info == nullptr) {
    return mistake("the route " + route.path + " leads to class '" + target.agent +
                   "', which is not served");
  }
  if (!is_room_name(target.name)) {
    return mistake("the route " + route.path +
                   " leads to a room whose name is not 1 to 1024 bytes of UTF-8");
  }
  if (!can_be_sent(target.cors)) {
    return mistake("the route " + route.path + " gives CORS headers that HTTP cannot carry");
  }
  CorsHeaders cors = target.cors.empty() ? cors_of(*info) : std::move(target.cors);
  return Destination{info, std::move(target.name), std::move(cors)};
}

CorsHeaders Router::cors_of(const AgentClassInfo& info) const {
  if (!info.cors.empty()) return info.cors;
  return info.options.cors ? cors_any_origin() : CorsHeaders();
}

// Browsers say whose page it is that asks; who sends no Origin is no page of another site.
std::optional<Response> Router::check_origin(const Request& request) const {
  const std::vector<std::string>& allowed = config_.allow_origins;
  if (allowed.empty()) return std::nullopt;
  for (const HeaderView header : request.headers()) {
    if (!codec::http::equals_ignoring_case(header.name, "origin")) continue;
    if (std::find(allowed.begin(), allowed.end(), header.value) != allowed.end()) continue;
    return Response::text(403, "Origin " + std::string(header.value) +
                                   " is not allowed here; --allow-origin of the server does it");
  }
  return std::nullopt;
}

template <typename Decision, typename Ask>
Decision Router::ask(const std::string& who, const HookContext& context, Ask ask) {
  std::string message = "Unknown error occurred";
  watch_.enter(this, context.class_name(), context.room());
  try {
    Decision decision = ask();
    watch_.leave();
    watch_.forget(this);
    if constexpr (!std::is_same_v<Decision, RequestDecision>) {
      const auto* close = decision ? std::get_if<CloseAfterAccept>(&*decision) : nullptr;
      if (close != nullptr && !can_be_said(*close)) {
        return mistake(who + " closes with a code or reason that can't be sent");
      }
    }
    return decision;
  } catch (const std::exception& thrown) {
    message = thrown.what();
  } catch (...) {
  }
  watch_.leave();
  watch_.forget(this);
  base::log_error(who + " threw: " + message);
  return Response::text(500, message);
}

ConnectDecision Router::before_connect(const Destination& to, const Request& request) {
  if (to.info->before_connect == nullptr) return std::nullopt;
  const HookContext context(config_.env, to.info->name, to.room);
  return ask<ConnectDecision>(std::string(to.info->name) + ": before_connect", context,
                              [&] { return to.info->before_connect(request, context); });
}

RequestDecision Router::before_request(const Destination& to, const Request& request) {
  if (to.info->before_request == nullptr) return std::nullopt;
  const HookContext context(config_.env, to.info->name, to.room);
  return ask<RequestDecision>(std::string(to.info->name) + ": before_request", context,
                              [&] { return to.info->before_request(request, context); });
}

}  // namespace ringroom::shard
