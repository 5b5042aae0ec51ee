// The one place where user code is called: what it throws becomes a log line and on_error, and the
// watch knows whose callback runs. On the room's shard.
#pragma once

#include "agent/host.h"
#include "agent/runtime.h"
#include "ringroom/limits.h"

#include <exception>

namespace ringroom::detail {

// Of a sleeping room it is the wake that counts.
inline void Host::touch() {
  if (awake_ != nullptr) awake_->last_event_ns = runtime_.now_ns();
}

/// False if it threw.
template <typename Call>
bool Host::guard(const char* where, Connection* connection, Call&& call) {
  agent_runtime::Watch& watch = runtime_.watch();
  const bool is_timed = settings_ != nullptr && settings_->event_timeout.count() > 0;
  const std::uint64_t began_ns = is_timed ? runtime_.shard().clock_ns() : 0;
  watch.enter(this, info_.name, name());
  bool returned = true;
  try {
    call();
    watch.leave();
  } catch (...) {
    watch.leave();
    report(where, connection, std::current_exception());
    returned = false;
  }
  if (is_timed) [[unlikely]]
    check_event_timeout(where, connection, began_ns);
  return returned;
}

}  // namespace ringroom::detail
