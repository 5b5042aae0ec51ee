// The one place where user code is called: what it throws becomes a log line and on_error, and the
// watch knows whose callback runs. On the room's shard.
#pragma once

#include "agent/host.h"
#include "agent/runtime.h"
#include "ringroom/limits.h"

#include <exception>
#include <string>
#include <utility>

namespace ringroom::detail {

/// What the thrower says, for a client or the log.
inline std::string text_of(const std::exception_ptr& cause) {
  try {
    std::rethrow_exception(cause);
  } catch (const std::exception& thrown) {
    return thrown.what();
  } catch (...) {
    return "Unknown error occurred";
  }
}

// Of a sleeping room it is the wake that counts.
inline void Host::touch() {
  if (awake_ != nullptr) awake_->last_event_ns = runtime_.now_ns();
}

/// False if it threw. A callback that another one of the same room caused runs within it: what the
/// outer one set stays.
template <typename Call, typename OnThrow>
bool Host::run(const char* where, Connection* connection, Call&& call, OnThrow&& on_throw) {
  agent_runtime::Watch& watch = runtime_.watch();
  if (watch.inside()) [[unlikely]] {
    try {
      call();
      return true;
    } catch (...) {
      on_throw(std::current_exception());
      return false;
    }
  }
  awake_->caller = connection == nullptr ? ConnectionRef{} : connection->ref();
  const bool is_timed = settings_ != nullptr && settings_->event_timeout.count() > 0;
  const std::uint64_t began_ns = is_timed ? runtime_.shard().clock_ns() : 0;
  watch.enter(this, info_.name, name());
  bool returned = true;
  try {
    call();
    watch.leave();
  } catch (...) {
    watch.leave();
    on_throw(std::current_exception());
    returned = false;
  }
  if (is_timed) [[unlikely]]
    check_event_timeout(where, connection, began_ns);
  return returned;
}

/// The same for what the agent is to be told about: a log line and on_error.
template <typename Call>
bool Host::guard(const char* where, Connection* connection, Call&& call) {
  return run(where, connection, std::forward<Call>(call),
             [&](const std::exception_ptr& cause) { report(where, connection, cause); });
}

/// The answer to what is asked when the room's file is open.
template <typename T, typename Ask>
Deferred<T> Host::later(Ask ask) {
  Deferred<T> answer;
  when_ready([answer, ask = std::move(ask)](Host& host) {
    ask(host).then([answer](T value) { answer.resolve(std::move(value)); },
                   [answer](const std::string& why) { answer.reject(why); });
  });
  return answer;
}

/// The same answer, behind the output gate; until it is there the agent stays awake.
template <typename T>
Deferred<T> Host::count_open(const Deferred<T>& answer) {
  if (answer.is_answered() && !is_gated()) return answer;
  ++link()->requests_open;
  Deferred<T> counted;
  answer.then(
      [room = link(), counted](T value) {
        --room->requests_open;
        // What it tells may be of writes that are lost.
        if (room->host == nullptr) return counted.reject("the agent that was asked is gone");
        if (!room->host->is_gated()) return counted.resolve(std::move(value));
        room->host->hold_back([counted, value] { counted.resolve(value); },
                              [counted](const std::string& why) { counted.reject(why); });
      },
      [room = link(), counted](const std::string& why) {
        --room->requests_open;
        counted.reject(why);
      });
  return counted;
}

}  // namespace ringroom::detail
