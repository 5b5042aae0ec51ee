#include "server/machine.h"

#include "base/assert.h"
#include "base/values.h"

#include <algorithm>

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

namespace ringroom::server {

namespace {

// The kernel's own bound of a ring's table (io_uring_register(2), IORING_MAX_FIXED_FILES).
constexpr rlim_t ring_files_max = 1 << 20;
// Descriptors of the process: standard streams, log, shared objects, and for each shard its
// listener, ring and wake-up event.
constexpr rlim_t process_files = 64;
constexpr rlim_t shard_files = 8;
// Fewer clients than this for a shard are no use to anybody.
constexpr rlim_t clients_min = 128;

}  // namespace

std::vector<unsigned> allowed_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  const int failed = sched_getaffinity(0, sizeof(mask), &mask);
  ASSERT(failed == 0);
  std::vector<unsigned> cores;
  for (unsigned core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &mask)) cores.push_back(core);
  }
  return cores;
}

void pin_thread(unsigned core) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(core, &mask);
  const int failed = pthread_setaffinity_np(pthread_self(), sizeof(mask), &mask);
  ASSERT(failed == 0);
}

void name_thread(const std::string& name) {
  const int failed = pthread_setname_np(pthread_self(), name.c_str());
  ASSERT(failed == 0);
}

OpenFiles raise_open_files(unsigned shards) {
  rlimit limit{};
  int failed = getrlimit(RLIMIT_NOFILE, &limit);
  ASSERT(failed == 0);
  const rlim_t needed = process_files + shards * shard_files + clients_min;
  if (limit.rlim_max < needed) {
    return {0, 0,
            "the limit of open files (RLIMIT_NOFILE) is " + base::grouped(limit.rlim_max) +
                ", and this server needs " + base::grouped(needed) +
                " and one more for each client: raise it with 'ulimit -n', LimitNOFILE= of "
                "systemd, or --ulimit nofile of a container"};
  }
  limit.rlim_cur = limit.rlim_max;
  failed = setrlimit(RLIMIT_NOFILE, &limit);
  ASSERT(failed == 0);
  // The sockets are in the rings' tables, so that the process has these for itself.
  const rlim_t databases = (limit.rlim_max - process_files) / shards - shard_files;
  return {static_cast<std::uint32_t>(std::min(limit.rlim_max, ring_files_max)),
          static_cast<std::uint32_t>(std::min(databases, ring_files_max)),
          {}};
}

}  // namespace ringroom::server
