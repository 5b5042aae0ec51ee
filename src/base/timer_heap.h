// TimerHeap: deadlines of one shard, to the nanosecond. A 4-ary heap of intrusive timers: a new
// deadline later than all others costs one step, and the quiet cost nothing. On the shard's
// thread; the timers are their owners', who cancel before they die.
#pragma once

#include <cstdint>
#include <vector>

namespace ringroom::base {

/// What a shard does when the deadline has come. `owner` and `detail` are the setter's.
struct Timer {
  static constexpr std::uint32_t unset = UINT32_MAX;

  std::uint64_t deadline_ns = 0;
  std::uint32_t position = unset;  // in the heap
  std::uint8_t kind = 0;
  std::uint32_t owner = 0;
  std::uint64_t detail = 0;

  bool is_set() const { return position != unset; }
};

class TimerHeap {
 public:
  /// Sets or moves a timer.
  void set(Timer& timer, std::uint64_t deadline_ns);
  /// Nothing happens if it isn't set.
  void cancel(Timer& timer);
  /// UINT64_MAX if there is none.
  std::uint64_t next_deadline() const {
    return heap_.empty() ? UINT64_MAX : heap_.front()->deadline_ns;
  }
  /// The earliest timer that is due, unset; null if none is.
  Timer* take_due(std::uint64_t now_ns);
  std::size_t size() const { return heap_.size(); }
  /// Gives the memory of timers back that aren't set any more.
  void trim() { heap_.shrink_to_fit(); }

 private:
  void place(std::size_t position, Timer* timer);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);

  std::vector<Timer*> heap_;
};

}  // namespace ringroom::base
