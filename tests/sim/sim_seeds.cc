#include "sim_seeds.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

namespace ringroom::sim {

namespace {

char repeat_command[160];

// An assertion, a broken rule of the ring, a sanitizer: all end here.
void on_abort(int signal) {
  static_cast<void>(!write(STDERR_FILENO, repeat_command, std::strlen(repeat_command)));
  std::signal(signal, SIG_DFL);
  raise(signal);
}

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

}  // namespace

void begin_seed(const char* program, std::uint64_t seed) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) std::signal(signal, on_abort);
  std::snprintf(repeat_command, sizeof(repeat_command),
                "\nrepeat it: RINGROOM_SIM_SEED=%llu build/tests/sim/%s\n",
                static_cast<unsigned long long>(seed), program);
}

const char* how_to_repeat() {
  return repeat_command;
}

std::optional<std::uint64_t> wanted_seed() {
  return number_from("RINGROOM_SIM_SEED");
}

std::uint64_t new_seeds(std::uint64_t otherwise) {
  return number_from("RINGROOM_SIM_SEEDS").value_or(otherwise);
}

}  // namespace ringroom::sim
