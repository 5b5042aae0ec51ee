// What the server takes from the machine: cores to pin shards to, and open files. Used at start by
// the main thread; pin_thread and name_thread by each shard's thread about itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ringroom::server {

/// The cores of the calling thread's affinity mask (sched_getaffinity(2)), ascending.
std::vector<unsigned> allowed_cores();

/// Keeps the calling thread on one core.
void pin_thread(unsigned core);

/// Has the calling thread run as soon as it is woken, though others are on its core (Linux 6.12 and
/// later: a short slice, sched(7)). Elsewhere it does nothing.
void run_promptly();

/// What top and gdb show of the calling thread; up to 15 characters.
void name_thread(const std::string& name);

/// How many sockets the table of one ring can have, and how many databases a shard can have open.
struct OpenFiles {
  std::uint32_t files_max = 0;
  std::uint32_t databases_max = 0;
  std::string error;  ///< why not even a small server can work; else empty
};

/// Raises RLIMIT_NOFILE to its hard limit, which is what a ring's table may have (the limit counts
/// for each ring), and refuses one that is too low for `shards` to work with.
OpenFiles raise_open_files(unsigned shards);

}  // namespace ringroom::server
