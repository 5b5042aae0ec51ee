#include "server/site.h"

#include "shard/config.h"

namespace ringroom::server {

namespace {

// Where the page wants the list of classes.
constexpr std::string_view marker = "<!--classes-->";
// What stands in the page where a prefix belongs.
constexpr std::string_view usual_prefix = "/agents/";

constexpr std::string_view icon =
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">)"
    R"(<circle cx="16" cy="16" r="11" fill="none" stroke="#2a7de1" stroke-width="6"/></svg>)";

// Class names are C++ identifiers: nothing in them needs escaping.
std::string list_item(std::string_view class_name, const std::string& prefix) {
  const std::string segment = shard::url_segment(class_name);
  const std::string name(class_name);
  return "<li data-class=\"" + name + "\" data-segment=\"" + segment + "\"><b>" + name +
         "</b> <code>" + prefix + segment + "/{room}</code></li>\n";
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

Site::Site(std::span<const detail::AgentClassInfo> classes, std::string_view prefix)
    : page_(page_template()) {
  const std::string rooms = prefix.ends_with('/') ? std::string(prefix) : std::string(prefix) + '/';
  if (rooms != usual_prefix) replace_all(page_, usual_prefix, rooms);
  std::string list;
  for (const detail::AgentClassInfo& info : classes) list += list_item(info.name, rooms);
  const std::size_t at = page_.find(marker);
  if (at != std::string::npos) page_.replace(at, marker.size(), list);
}

Deferred<Response> Site::handle(shard::Shard&, const Request& request) {
  return answer(request);
}

Response Site::answer(const Request& request) const {
  const std::string_view path = request.path();
  if (path != "/" && path != "/favicon.ico") return Response::text(404, "Not found");
  if (request.method() != "GET" && request.method() != "HEAD") {
    return Response::text(405, "Method not allowed").set_header("Allow", "GET, HEAD");
  }
  if (path == "/") return Response::html(page_);
  return Response::bytes(200, "image/svg+xml", std::string(icon))
      .set_header("Cache-Control", "max-age=86400");
}

}  // namespace ringroom::server
