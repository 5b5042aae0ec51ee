// Bell: wakes the main thread. Owned by the server; rung by any thread and by signal handlers,
// waited for by the main thread. One eventfd(2).
#pragma once

#include <chrono>

namespace ringroom::server {

class Bell {
 public:
  Bell();
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  /// Async-signal-safe. Rings that nobody heard yet become one.
  void ring();
  /// Returns when it was rung since the last wait, or after `at_most`.
  void wait(std::chrono::milliseconds at_most);

 private:
  int event_;
};

}  // namespace ringroom::server
