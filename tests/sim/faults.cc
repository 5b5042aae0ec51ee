#include "faults.h"

#include <array>
#include <cstdio>

namespace ringroom::sim {

namespace {

struct NamedFault {
  const char* name;
  double FaultProfile::*probability;
  double probability_max;  // of a swarm
};

constexpr std::array<NamedFault, 17> faults = {{
    {"send_short", &FaultProfile::send_short, 0.5},
    {"send_refused", &FaultProfile::send_refused, 0.3},
    {"completion_late", &FaultProfile::completion_late, 0.5},
    {"completions_reordered", &FaultProfile::completions_reordered, 1.0},
    {"receive_cut", &FaultProfile::receive_cut, 0.6},
    {"buffers_exhausted", &FaultProfile::buffers_exhausted, 0.2},
    {"connection_reset", &FaultProfile::connection_reset, 0.004},
    {"multishot_ended", &FaultProfile::multishot_ended, 0.3},
    {"completions_overflowed", &FaultProfile::completions_overflowed, 0.2},
    {"accept_late", &FaultProfile::accept_late, 0.5},
    {"close_late", &FaultProfile::close_late, 0.6},
    {"wake_spurious", &FaultProfile::wake_spurious, 0.3},
    {"time_jumped", &FaultProfile::time_jumped, 0.05},
    {"move_failed", &FaultProfile::move_failed, 0.2},
    {"byte_corrupted", &FaultProfile::byte_corrupted, 0},
    {"completion_lost", &FaultProfile::completion_lost, 0},
    {"close_lost", &FaultProfile::close_lost, 0},
}};

double unit(base::Random& random) {
  return static_cast<double>(random.next() >> 11) * 0x1.0p-53;
}

template <typename T, std::size_t n>
T one_of(base::Random& random, const std::array<T, n>& values) {
  return values[random.next() % n];
}

}  // namespace

FaultProfile FaultProfile::swarm(std::uint64_t seed) {
  base::Random random(seed ^ 0x5eed'0f'fa'017'5ULL);
  FaultProfile profile;
  for (const NamedFault& fault : faults) {
    const bool on = (random.next() & 1) != 0;
    const double probability = unit(random) * fault.probability_max;
    if (on) profile.*fault.probability = probability;
  }
  profile.late_ns_max =
      one_of<std::uint64_t>(random, std::array<std::uint64_t, 3>{20'000, 500'000, 5'000'000});
  profile.jump_ns_max =
      one_of<std::uint64_t>(random, std::array<std::uint64_t, 3>{50'000, 1'000'000, 50'000'000});
  profile.send_buffer_bytes =
      one_of<std::size_t>(random, std::array<std::size_t, 4>{200, 4096, 65'536, 262'144});
  profile.receive_buffer_bytes =
      one_of<std::size_t>(random, std::array<std::size_t, 3>{512, 16'384, 131'072});
  profile.client_window_bytes =
      one_of<std::size_t>(random, std::array<std::size_t, 3>{300, 4096, 65'536});
  profile.features.incremental_buffers = (random.next() & 1) != 0;
  profile.features.min_wait = (random.next() & 1) != 0;
  profile.features.fixed_fd_install = (random.next() & 1) != 0;
  if (random.next() % 3 == 0) {
    profile.ring_buffer_bytes = one_of<std::size_t>(random, std::array<std::size_t, 2>{1024, 8192});
    profile.ring_buffers = static_cast<std::uint16_t>(2 + random.next() % 6);
  }
  if (random.next() % 3 == 0) {
    profile.completions_max = static_cast<std::uint32_t>(8 + random.next() % 56);
  }
  return profile;
}

std::string FaultProfile::describe() const {
  std::string text;
  char word[96];
  for (const NamedFault& fault : faults) {
    if (this->*fault.probability == 0) continue;
    std::snprintf(word, sizeof(word), "%s=%.3f ", fault.name, this->*fault.probability);
    text += word;
  }
  std::snprintf(word, sizeof(word), "send_buffer=%zu receive_buffer=%zu client_window=%zu ",
                send_buffer_bytes, receive_buffer_bytes, client_window_bytes);
  text += word;
  std::snprintf(word, sizeof(word),
                "ring_buffers=%ux%zu completions=%u features=", static_cast<unsigned>(ring_buffers),
                ring_buffer_bytes, completions_max);
  text += word;
  return text + reactor::describe(features);
}

}  // namespace ringroom::sim
