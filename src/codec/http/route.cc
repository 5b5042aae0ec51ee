#include "codec/http/route.h"

#include "codec/http/characters.h"
#include "ringroom/limits.h"
#include "ringroom/request.h"

#include <algorithm>
#include <stdexcept>

namespace ringroom::codec::http {

namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

/// Cuts the next segment that is not empty off a path; empty at its end.
std::string_view take_segment(std::string_view& path) {
  const std::size_t begin = path.find_first_not_of('/');
  if (begin == std::string_view::npos) {
    path = {};
    return {};
  }
  const std::size_t end = std::min(path.find('/', begin), path.size());
  const std::string_view segment = path.substr(begin, end - begin);
  path.remove_prefix(end);
  return segment;
}

/// Cuts the prefix off a path that is below it.
bool take_prefix(std::string_view& path, std::string_view prefix) {
  while (true) {
    const std::string_view expected = take_segment(prefix);
    if (expected.empty()) {
      return true;
    }
    if (take_segment(path) != expected) {
      return false;
    }
  }
}

/// A name in capitals only is a constant's name: its words are divided by underscores.
std::string kebab_of_constant(std::string_view name) {
  std::string kebab(name);
  std::transform(kebab.begin(), kebab.end(), kebab.begin(),
                 [](char c) { return c == '_' ? '-' : to_lower(c); });
  return kebab;
}

}  // namespace

std::string kebab(std::string_view class_name) {
  if (std::any_of(class_name.begin(), class_name.end(), is_upper) &&
      std::none_of(class_name.begin(), class_name.end(), is_lower)) {
    return kebab_of_constant(class_name);
  }
  std::string kebab;
  for (const char c : class_name) {
    if (is_upper(c)) {
      kebab += '-';
    }
    kebab += to_lower(c);
  }
  if (kebab.starts_with('-')) {
    kebab.erase(0, 1);
  }
  std::replace(kebab.begin(), kebab.end(), '_', '-');
  if (kebab.ends_with('-')) {
    kebab.pop_back();
  }
  return kebab;
}

Route parse_agent_path(std::string_view path, std::string_view prefix) {
  if (!take_prefix(path, prefix)) {
    return {};
  }
  const std::string_view class_segment = take_segment(path);
  const std::string_view room = take_segment(path);
  if (room.empty()) {
    return {};
  }
  const bool fits = room.size() <= limits::room_name_bytes_max;
  return {fits ? RouteKind::agent : RouteKind::room_name_too_long, class_segment, room};
}

bool is_below(std::string_view path, std::string_view prefix) {
  return take_prefix(path, prefix);
}

std::optional<std::string> normalise_path(std::string_view path) {
  if (path.find_first_of("?#") != std::string_view::npos) {
    return std::nullopt;
  }
  try {
    const Request request("GET", "/" + std::string(path));
    std::string normal;
    std::string_view rest = request.path();
    for (auto segment = take_segment(rest); !segment.empty(); segment = take_segment(rest)) {
      normal += '/';
      normal += segment;
    }
    return normal.empty() ? "/" : normal;
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

}  // namespace ringroom::codec::http

namespace ringroom {

std::optional<RouteTarget> match_agent_path(std::string_view path, std::string_view prefix) {
  using codec::http::RouteKind;
  const codec::http::Route route = codec::http::parse_agent_path(path, prefix);
  if (route.kind == RouteKind::none) {
    return std::nullopt;
  }
  return RouteTarget{std::string(route.class_segment), std::string(route.room)};
}

}  // namespace ringroom
