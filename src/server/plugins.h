// Classes of agents and routes: those announced in the executable and those of --agents. Gathered
// once, at start, by the main thread. Shared objects stay loaded until the process ends, so what is
// taken from them is good for ever.
#pragma once

#include "ringroom/plugin.h"

#include <string>
#include <vector>

namespace ringroom::server {

/// All classes to serve and the routes to them, or why there are none.
struct Classes {
  std::vector<detail::AgentClassInfo> all;
  std::vector<detail::RouteInfo> routes;  ///< in the order in which they were announced
  std::string error;
};

/// Refuses a file that can't be loaded, announces nothing or was built against another interface,
/// two classes that one URL would reach, options that no agent can have, and routes that no URL
/// has.
Classes gather_classes(const detail::Plugin& own, const std::vector<std::string>& files);

/// What keeps classes of `theirs` from working in a server of `ours`, naming both; "" if nothing.
std::string compare_abi(const detail::Abi& theirs, const detail::Abi& ours);

}  // namespace ringroom::server
