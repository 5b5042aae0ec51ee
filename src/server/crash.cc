#include "server/crash.h"

#include "base/assert.h"

#include <array>

#include <execinfo.h>
#include <unistd.h>

namespace ringroom::server {

namespace {

constexpr std::array<int, 5> crash_signals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int frames_max = 64;

// Set before the handlers are, never changed after.
std::string_view (*crash_place)() = nullptr;

void say(std::string_view text) {
  // Nothing can be done about an error here.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

std::string_view name_of(int signal) {
  switch (signal) {
    case SIGSEGV: return "SIGSEGV (bad memory access)";
    case SIGBUS: return "SIGBUS (bad memory access)";
    case SIGFPE: return "SIGFPE (bad arithmetic)";
    case SIGILL: return "SIGILL (bad instruction)";
    default: return "SIGABRT (abort)";
  }
}

// Async-signal-safe. Installed with SA_RESETHAND: the signal raised here comes once this returns,
// and has its default action.
void on_crash(int signal) {
  const std::string_view place = crash_place();
  say("ringroom crashed: ");
  say(name_of(signal));
  say(place.empty() ? " outside of a room" : " in a callback of ");
  say(place);
  say("\n");
  std::array<void*, frames_max> frames;
  const int count = backtrace(frames.data(), frames_max);
  backtrace_symbols_fd(frames.data(), count, STDERR_FILENO);
  raise(signal);
}

// A sanitizer or the host program may handle crashes already, and better.
bool is_free(int signal) {
  struct sigaction now {};
  return sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
         now.sa_handler == SIG_DFL;
}

}  // namespace

void install_crash_handler(std::string_view (*where)()) {
  crash_place = where;
  // The first backtrace loads a library, which a handler may not do.
  std::array<void*, 1> frame;
  backtrace(frame.data(), 1);
  for (const int signal : crash_signals) {
    if (!is_free(signal)) continue;
    struct sigaction action {};
    action.sa_handler = on_crash;
    action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
    const int failed = sigaction(signal, &action, nullptr);
    ASSERT(failed == 0);
  }
}

CrashStack::CrashStack() : memory_(std::make_unique<std::byte[]>(bytes)) {
  stack_t stack{};
  stack.ss_sp = memory_.get();
  stack.ss_size = bytes;
  const int failed = sigaltstack(&stack, &previous_);
  ASSERT(failed == 0);
}

CrashStack::~CrashStack() {
  sigaltstack(&previous_, nullptr);
}

}  // namespace ringroom::server
