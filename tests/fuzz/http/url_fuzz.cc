// Fuzz target: a request target through URL normalisation, query decoding and the router. A
// normalised URL must be one: visible ASCII, without dot segments, and unchanged by a second pass.
#include "base/assert.h"
#include "codec/http/route.h"
#include "codec/http/url.h"
#include "ringroom/limits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using ringroom::codec::http::append_url;
using ringroom::codec::http::decode_form_text;
using ringroom::codec::http::parse_agent_path;
using ringroom::codec::http::Route;
using ringroom::codec::http::RouteKind;
using ringroom::codec::http::split_target;
using ringroom::codec::http::take_pair;
using ringroom::codec::http::UrlLayout;

void check_route(std::string_view path) {
  const Route route = parse_agent_path(path);
  if (route.kind == RouteKind::none) {
    return;
  }
  ASSERT(!route.class_segment.empty() && !route.room.empty());
  ASSERT(route.class_segment.find('/') == std::string_view::npos);
  ASSERT(route.room.find('/') == std::string_view::npos);
  ASSERT(route.room != ".." && route.class_segment != "..");
  ASSERT((route.kind == RouteKind::agent) ==
         (route.room.size() <= ringroom::limits::room_name_bytes_max));
}

void check_query(std::string_view query) {
  std::string_view name;
  std::string_view value;
  while (take_pair(query, name, value)) {
    ASSERT(decode_form_text(name).size() <= 3 * name.size());
    ASSERT(decode_form_text(value).size() <= 3 * value.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string target(reinterpret_cast<const char*>(data), size);
  const auto parts = split_target("GET", target);
  if (!parts) {
    return 0;
  }
  std::string url;
  const UrlLayout layout = append_url(url, "example.org", *parts);
  ASSERT(std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; }));
  const std::string_view path = std::string_view(url).substr(layout.path_offset, layout.path_size);
  ASSERT(path.starts_with('/'));
  ASSERT(path.find("/../") == std::string_view::npos && !path.ends_with("/.."));

  const auto normalised_parts = split_target("GET", url);
  ASSERT(normalised_parts);
  std::string again;
  append_url(again, "example.org", *normalised_parts);
  ASSERT(again == url);

  check_route(path);
  check_query(std::string_view(url).substr(layout.query_offset, layout.query_size));
  return 0;
}
