#include "server/stop_signals.h"

namespace ringroom::server {

namespace {

// Whom the handler tells; null while nobody listens.
std::atomic<StopSignals*> current = nullptr;

}  // namespace

StopSignals::StopSignals(Bell& bell) : bell_(bell) {
  StopSignals* nobody = nullptr;
  is_current_ = current.compare_exchange_strong(nobody, this);
  if (!is_current_) return;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    struct sigaction action {};
    action.sa_handler = numbers[i] == SIGPIPE ? SIG_IGN : on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(numbers[i], &action, &previous_[i]);
  }
}

StopSignals::~StopSignals() {
  if (!is_current_) return;
  for (std::size_t i = 0; i < numbers.size(); ++i) sigaction(numbers[i], &previous_[i], nullptr);
  current.store(nullptr);
}

void StopSignals::on_signal(int) {
  StopSignals* const listener = current.load();
  if (listener == nullptr) return;
  listener->count_.fetch_add(1, std::memory_order_relaxed);
  listener->bell_.ring();
}

StopSignalsBlocked::StopSignalsBlocked() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, &previous_);
}

StopSignalsBlocked::~StopSignalsBlocked() {
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

}  // namespace ringroom::server
