#include "load/machine.h"

#include "base/assert.h"
#include "base/values.h"
#include "load/worker.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace ringroom::load {

namespace {

// Standard streams, /proc, results, and for each thread its ring.
constexpr rlim_t own_files = 64;
// The kernel's bound of a ring's table (io_uring_register(2), IORING_MAX_FIXED_FILES).
constexpr std::uint32_t ring_files_max = 1 << 20;
constexpr std::uint64_t sequences_max = std::uint64_t{1} << 26U;

std::uint32_t most_in_a_thread(const Plan& plan) {
  return Worker::connections_of(plan, 0);
}

std::string check_files(const Plan& plan) {
  rlimit limit{};
  int failed = getrlimit(RLIMIT_NOFILE, &limit);
  ASSERT(failed == 0);
  limit.rlim_cur = limit.rlim_max;
  failed = setrlimit(RLIMIT_NOFILE, &limit);
  ASSERT(failed == 0);
  const std::uint32_t needed = most_in_a_thread(plan);
  const rlim_t most = std::min<rlim_t>(limit.rlim_max, ring_files_max);
  if (needed + own_files <= most) return {};
  const std::uint64_t threads =
      (plan.connections + most - 1) / (most > own_files ? most - own_files : 1);
  return base::grouped(needed) + " connections in a thread need a limit of open files of " +
         base::grouped(needed + own_files) + ", and it is " + base::grouped(limit.rlim_max) +
         ". The limit counts for each thread: use --threads " + std::to_string(threads) +
         " or more, or raise it with 'ulimit -n', LimitNOFILE= of systemd, or --ulimit nofile of a "
         "container.";
}

std::string check_ports(const Plan& plan) {
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (!(file >> first >> last) || last < first) return {};
  const std::uint64_t ports = last - first + 1;
  std::uint64_t sources = 0;
  for (const SourceRange& range : plan.sources) sources += range.count;
  sources = std::max<std::uint64_t>(sources, 1);
  if (plan.connections <= ports * sources) return {};
  const std::uint64_t needed = (plan.connections + ports - 1) / ports;
  return base::grouped(plan.connections) + " connections need " + std::to_string(needed) +
         " source addresses, as each has " + base::grouped(ports) +
         " ports to one server (sysctl net.ipv4.ip_local_port_range), and there " +
         (sources == 1 ? "is 1" : "are " + std::to_string(sources)) +
         ". Give more with --source, on loopback for example --source 127.0.0.2-127.0.0." +
         std::to_string(std::min<std::uint64_t>(needed + 1, 254)) +
         ", or widen the range of ports.";
}

std::string check_memory(const Plan& plan) {
  if (plan.members == 0) return {};
  const std::uint64_t senders = plan.senders == 0 ? plan.members : plan.senders;
  const std::uint64_t sequences = plan.connections * senders;
  if (sequences <= sequences_max) return {};
  return "what each member has of each sender is checked, with 16 bytes of memory for each pair, "
         "and " +
         base::grouped(sequences) + " pairs are more than the " + base::grouped(sequences_max) +
         " allowed: use --senders with a smaller number.";
}

std::uint64_t cpu_of(const std::filesystem::path& task) {
  std::ifstream file(task / "schedstat");
  std::uint64_t on_cpu_ns = 0;
  file >> on_cpu_ns;
  return on_cpu_ns;
}

}  // namespace

std::string prepare_machine(const Plan& plan) {
  for (std::string problem : {check_files(plan), check_ports(plan), check_memory(plan)}) {
    if (!problem.empty()) return problem;
  }
  return {};
}

ServerUse look_at(const std::vector<int>& pids) {
  ServerUse use;
  for (const int pid : pids) {
    const std::filesystem::path process = "/proc/" + std::to_string(pid);
    std::error_code gone;
    for (const auto& task : std::filesystem::directory_iterator(process / "task", gone)) {
      use.cpu_ns += static_cast<double>(cpu_of(task.path()));
    }
    std::ifstream memory(process / "statm");
    std::uint64_t pages = 0;
    std::uint64_t resident = 0;
    memory >> pages >> resident;
    use.rss_bytes += resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  return use;
}

unsigned count_cores(const std::vector<int>& pids) {
  cpu_set_t all;
  CPU_ZERO(&all);
  for (const int pid : pids) {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    if (sched_getaffinity(pid, sizeof(mask), &mask) == 0) CPU_OR(&all, &all, &mask);
  }
  return static_cast<unsigned>(std::max(CPU_COUNT(&all), 1));
}

std::string check_pids(const std::vector<int>& pids) {
  for (const int pid : pids) {
    std::error_code error;
    if (std::filesystem::exists("/proc/" + std::to_string(pid) + "/schedstat", error)) continue;
    return "there is no process " + std::to_string(pid) + " to look at (--server-pid)";
  }
  return {};
}

}  // namespace ringroom::load
