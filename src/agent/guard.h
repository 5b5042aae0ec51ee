// The one place where user code is called: what it throws becomes a log line and on_error, and the
// watch knows whose callback runs. On the room's shard.
#pragma once

#include "agent/host.h"
#include "agent/runtime.h"
#include "ringroom/limits.h"

#include <exception>

namespace ringroom::detail {

inline void Host::touch() {
  last_event_ns_ = runtime_.now_ns();
  if (!idle_timer_.is_set()) [[unlikely]] {
    if (const auto& after = runtime_.options().hibernate_after) {
      runtime_.timers().set(idle_timer_,
                            last_event_ns_ + static_cast<std::uint64_t>(after->count()));
    }
  }
}

/// False if it threw.
template <typename Call>
bool Host::guard(const char* where, Connection* connection, Call&& call) {
  agent_runtime::Watch& watch = runtime_.watch();
  const bool is_timed = settings_ != nullptr && settings_->event_timeout.count() > 0;
  const std::uint64_t began_ns = is_timed ? runtime_.shard().clock_ns() : 0;
  watch.enter(this, info_.name, name_);
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
