#include "agent/watch.h"

namespace ringroom::agent_runtime {

namespace {
thread_local const Watch* watch_of_thread = nullptr;
}

const Watch* Watch::of_thread() {
  return watch_of_thread;
}

void Watch::set_of_thread(const Watch* watch) {
  watch_of_thread = watch;
}

}  // namespace ringroom::agent_runtime
