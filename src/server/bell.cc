#include "server/bell.h"

#include "base/assert.h"

#include <cerrno>
#include <cstdint>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ringroom::server {

Bell::Bell() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ASSERT(event_ >= 0);
}

Bell::~Bell() {
  close(event_);
}

void Bell::ring() {
  // A signal handler must leave errno as it was.
  const int before = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_, &one, sizeof(one));
  errno = before;
}

void Bell::wait(std::chrono::milliseconds at_most) {
  pollfd rung = {event_, POLLIN, 0};
  if (poll(&rung, 1, static_cast<int>(at_most.count())) <= 0) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = read(event_, &count, sizeof(count));
}

}  // namespace ringroom::server
