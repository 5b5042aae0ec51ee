// The URL router: which agent class and room a path names (the Agents SDK's rule). Pure functions,
// any thread; results are views of the path, nothing is allocated but kebab's string.
#pragma once

#include "ringroom/route.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringroom::codec::http {

/// The URL segment of a class name: ChatRoom → chat-room, IoTAgent → io-t-agent, SOME_ROOM →
/// some-room. A kebab string maps to itself.
std::string kebab(std::string_view class_name);

enum class RouteKind : std::uint8_t {
  none,   ///< not below the prefix, or no class or no room: 404
  agent,  ///< class_segment and room are set; whether the class exists is not known here
  room_name_too_long,  ///< as agent, but the room's name is above limits::room_name_bytes_max
};

struct Route {
  RouteKind kind = RouteKind::none;
  std::string_view class_segment;  ///< to be found among the kebab names; case-sensitive
  std::string_view room;           ///< still percent-encoded: that is its name
};

/// Splits `/{prefix}/{class}/{room}[/more]`. Empty segments count for nothing, so //agents//x//y
/// routes; the prefix may have several segments; what follows the room is the agent's business.
/// `path` is Request::path(): normalised, without the query. Views borrowed from `path`.
Route parse_agent_path(std::string_view path, std::string_view prefix = "agents");

/// Whether the path is `prefix` or below it, segment by segment.
bool is_below(std::string_view path, std::string_view prefix);

/// A prefix or a route's path as it stands in Request::path() (percent-encoded, dots resolved),
/// with one slash before each segment and none behind: "/api/v2", or "/". Nothing if it has a
/// query, a fragment, or isn't part of a URL.
std::optional<std::string> normalise_path(std::string_view path);

}  // namespace ringroom::codec::http
