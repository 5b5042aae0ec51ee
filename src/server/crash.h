// The crash handler: says on standard error which room a crash happened in, with a backtrace, then
// lets the signal do what it always did. Signals SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT that
// nobody else handles. install_crash_handler once by the main thread; a CrashStack in each thread.
#pragma once

#include <csignal>
#include <cstddef>
#include <memory>
#include <string_view>

namespace ringroom::server {

/// `where` names what the calling thread is in, "" if nothing; it must be async-signal-safe.
void install_crash_handler(std::string_view (*where)());

/// A stack of its own for the handler, so that running out of stack is reported too. Made and
/// destroyed by the thread it serves, which gets back the one it had.
class CrashStack {
 public:
  CrashStack();
  ~CrashStack();
  CrashStack(const CrashStack&) = delete;
  CrashStack& operator=(const CrashStack&) = delete;

 private:
  static constexpr std::size_t bytes = 64 * 1024;
  std::unique_ptr<std::byte[]> memory_;
  stack_t previous_{};
};

}  // namespace ringroom::server
