// How a shared object of agents (--agents game.so) shows itself to the server: one exported
// function, found by dlsym, that gives its ABI before anything of it is used. Any thread.
#pragma once

#include "ringroom/agent_class.h"

#include <cstddef>
#include <cstring>

#define RINGROOM_STRING_OF(x) RINGROOM_STRING(x)
#define RINGROOM_STRING(x) #x

namespace ringroom::detail {

constexpr Abi this_abi() {
  return {
      .interface_number = 3,
      .agent_bytes = sizeof(Agent),
      .connection_bytes = sizeof(Connection),
      .request_bytes = sizeof(Request),
      .version = RINGROOM_VERSION,
      .compiler = __VERSION__,
      .json = RINGROOM_STRING_OF(NLOHMANN_JSON_VERSION_MAJOR) "." RINGROOM_STRING_OF(
          NLOHMANN_JSON_VERSION_MINOR) "." RINGROOM_STRING_OF(NLOHMANN_JSON_VERSION_PATCH),
  };
}

/// The classes and routes announced in the executable or shared object that calls this. Hidden and
/// inline, so that each has one of its own.
__attribute__((visibility("hidden"))) inline Plugin this_plugin() {
  return {this_abi(), registrations, route_registrations};
}

}  // namespace ringroom::detail

/// Never called by user code; emitted into every file that announces a class. Fills in as much of a
/// Plugin as the caller has room for: one built against other headers may know a shorter one, and
/// compares the ABI before it reads more than the first number.
extern "C" __attribute__((visibility("default"), used)) inline void ringroom_plugin(
    void* plugin, std::size_t bytes) {
  const ringroom::detail::Plugin own = ringroom::detail::this_plugin();
  std::memcpy(plugin, &own, bytes < sizeof(own) ? bytes : sizeof(own));
}
