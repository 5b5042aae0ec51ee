// Site: the page for people at / and what else no route and no prefix has. Made at start by the
// main thread, unchanged after, so every shard's thread calls it. Holds one page.
#pragma once

#include "ringroom/agent_class.h"
#include "shard/request_handler.h"

#include <span>
#include <string>
#include <string_view>

namespace ringroom::server {

/// The file page/index.html, as it was at build time.
std::string_view page_template();

class Site final : public shard::RequestHandler {
 public:
  /// `prefix`: where rooms are, "/agents" or "/" or longer.
  Site(std::span<const detail::AgentClassInfo> classes, std::string_view prefix);
  Deferred<Response> handle(shard::Shard& shard, const Request& request) override;
  /// The same without a shard, which no answer here needs.
  Response answer(const Request& request) const;

 private:
  std::string page_;
};

}  // namespace ringroom::server
