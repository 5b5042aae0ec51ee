// StopSignals: SIGINT and SIGTERM while a server runs. Made and destroyed by the main thread, which
// asks count(); before and after, the signals do what they did for the program. One at a time per
// process: a second server of the same program is stopped by its stop() only.
#pragma once

#include "server/bell.h"

#include <array>
#include <atomic>
#include <csignal>

namespace ringroom::server {

class StopSignals {
 public:
  /// `bell` is rung by each signal. SIGPIPE is ignored meanwhile.
  explicit StopSignals(Bell& bell);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// How many came.
  unsigned count() const { return count_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::array<int, 3> numbers = {SIGINT, SIGTERM, SIGPIPE};
  static void on_signal(int number);

  Bell& bell_;
  std::atomic<unsigned> count_ = 0;
  std::array<struct sigaction, numbers.size()> previous_{};
  bool is_current_ = false;
};

/// While it lives, the calling thread, and threads that it starts for good, don't get the signals.
class StopSignalsBlocked {
 public:
  StopSignalsBlocked();
  ~StopSignalsBlocked();
  StopSignalsBlocked(const StopSignalsBlocked&) = delete;
  StopSignalsBlocked& operator=(const StopSignalsBlocked&) = delete;

 private:
  sigset_t previous_;
};

}  // namespace ringroom::server
