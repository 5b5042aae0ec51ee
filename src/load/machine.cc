#include "load/machine.h"

#include "base/assert.h"
#include "base/values.h"
#include "load/load_thread.h"

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
  return LoadThread::connections_of(plan, 0);
}

// The limit counts for each ring, and a ring's files are in no other table.
std::uint64_t raise_limit() {
  rlimit limit{};
  int failed = getrlimit(RLIMIT_NOFILE, &limit);
  ASSERT(failed == 0);
  limit.rlim_cur = limit.rlim_max;
  failed = setrlimit(RLIMIT_NOFILE, &limit);
  ASSERT(failed == 0);
  return limit.rlim_max;
}

// So many that none has more connections than a ring may have files, and rooms stay whole.
std::uint32_t threads_for(const Plan& plan, std::uint64_t files_max) {
  const std::uint64_t each = plan.room_connections();
  const std::uint64_t rooms = plan.connections / each;
  const std::uint64_t rooms_max = std::max<std::uint64_t>((files_max - own_files) / each, 1);
  return static_cast<std::uint32_t>(
      std::max<std::uint64_t>((rooms + rooms_max - 1) / rooms_max, 1));
}

std::string check_files(Plan& plan) {
  const std::uint64_t limit = raise_limit();
  const std::uint64_t most = std::min<std::uint64_t>(limit, ring_files_max);
  const std::uint32_t enough = most > own_files ? threads_for(plan, most) : 1;
  if (plan.threads == 0) plan.threads = enough;
  const std::uint32_t needed = most_in_a_thread(plan);
  if (needed + own_files <= most) return {};
  const bool may_spread = plan.room_connections() + own_files <= most;
  return base::grouped(needed) + " connections in a thread need a limit of open files of " +
         base::grouped(needed + own_files) + ", and it is " + base::grouped(limit) + ". " +
         (may_spread ? "The limit counts for each thread: use --threads " + std::to_string(enough) +
                           " or more, or raise it"
                     : "A room is on one thread: use smaller rooms, or raise it") +
         " with 'ulimit -n', LimitNOFILE= of systemd, or --ulimit nofile of a container.";
}

// Of all processes together; root is not held to it.
std::string check_system_files(const Plan& plan) {
  if (geteuid() == 0) return {};
  std::ifstream file("/proc/sys/fs/file-nr");
  std::uint64_t used = 0;
  std::uint64_t unused = 0;
  std::uint64_t most = 0;
  if (!(file >> used >> unused >> most) || used + plan.connections <= most) return {};
  return base::grouped(plan.connections) + " connections are more than the system's " +
         base::grouped(most) + " open files leave room for, of which " + base::grouped(used) +
         " are taken: raise the limit with 'sysctl fs.file-max=" +
         std::to_string(used + 2 * std::uint64_t{plan.connections}) +
         "' (the server's ends count too if it is on this machine).";
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

std::string prepare_machine(Plan& plan) {
  if (!plan.mix.empty()) plan.threads = 0;
  for (Plan& part : plan.mix.empty() ? std::span(&plan, 1) : std::span(plan.mix)) {
    for (const std::string& problem : {check_files(part), check_memory(part)}) {
      if (!problem.empty()) return (part.name.empty() ? "" : part.name + ": ") + problem;
    }
    if (&part != &plan) plan.threads += part.threads;
  }
  for (std::string problem : {check_ports(plan), check_system_files(plan)}) {
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
