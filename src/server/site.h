// Site: the page for people at / and what else lies outside of /agents/. Made at start by the main
// thread, unchanged after, so every shard's thread calls it. Holds one page.
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
  explicit Site(std::span<const detail::AgentClassInfo> classes);
  Deferred<Response> handle(shard::Shard& shard, const Request& request) override;
  /// The same without a shard, which no answer here needs.
  Response answer(const Request& request) const;

 private:
  std::string page_;
};

}  // namespace ringroom::server
