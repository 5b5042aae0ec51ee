#include "server/machine.h"

#include "base/assert.h"
#include "base/values.h"

#include <algorithm>

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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
// The shortest that the kernel takes.
constexpr std::uint64_t shard_slice_ns = 100'000;

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

// Without a wrapper in glibc; the struct of linux/sched/types.h, which must not be included beside
// sched.h.
void run_promptly() {
  struct Attributes {
    std::uint32_t size = 48;
    std::uint32_t policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t slice_ns = shard_slice_ns;
    std::uint64_t deadline_ns = 0;
    std::uint64_t period_ns = 0;
  } attributes;
  static_assert(sizeof(attributes) == 48);
  attributes.nice = getpriority(PRIO_PROCESS, 0);
  static_cast<void>(syscall(SYS_sched_setattr, 0, &attributes, 0));
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
