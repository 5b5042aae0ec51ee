// What the load takes from the machine and looks at there: its own limits, checked before anything
// is opened, and the CPU time and memory of the server's processes (/proc). The main thread's.
#pragma once

#include "load/plan.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ringroom::load {

/// Raises the limit of open files, spreads the connections over threads if the plan leaves that
/// open, and says what would keep it from working, with advice: descriptors, ports, memory for
/// sequences. Empty if nothing.
std::string prepare_machine(Plan& plan);

struct ServerUse {
  double cpu_ns = 0;  ///< on-CPU time of all threads (schedstat of proc(5))
  std::uint64_t rss_bytes = 0;
};

/// Of these processes together. Threads that ended meanwhile are missing.
ServerUse look_at(const std::vector<int>& pids);

/// How many cores these processes may run on (sched_getaffinity(2)); 1 without any.
unsigned count_cores(const std::vector<int>& pids);

/// Empty, or which of them isn't there.
std::string check_pids(const std::vector<int>& pids);

}  // namespace ringroom::load
