#include "base/timer_heap.h"

#include "base/assert.h"

#include <algorithm>

namespace ringroom::base {

namespace {
constexpr std::size_t arity = 4;
}

void TimerHeap::set(Timer& timer, std::uint64_t deadline_ns) {
  timer.deadline_ns = deadline_ns;
  if (!timer.is_set()) {
    heap_.push_back(&timer);
    timer.position = static_cast<std::uint32_t>(heap_.size() - 1);
  }
  sift_up(timer.position);
  sift_down(timer.position);
}

void TimerHeap::cancel(Timer& timer) {
  if (!timer.is_set()) return;
  const std::size_t hole = timer.position;
  ASSERT(heap_[hole] == &timer);
  timer.position = Timer::unset;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(hole, last);
  sift_up(hole);
  sift_down(last->position);
}

Timer* TimerHeap::take_due(std::uint64_t now_ns) {
  if (heap_.empty() || heap_.front()->deadline_ns > now_ns) return nullptr;
  Timer* due = heap_.front();
  cancel(*due);
  return due;
}

void TimerHeap::place(std::size_t position, Timer* timer) {
  heap_[position] = timer;
  timer->position = static_cast<std::uint32_t>(position);
}

void TimerHeap::sift_up(std::size_t position) {
  Timer* timer = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / arity;
    if (heap_[parent]->deadline_ns <= timer->deadline_ns) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, timer);
}

void TimerHeap::sift_down(std::size_t position) {
  Timer* timer = heap_[position];
  for (;;) {
    const std::size_t first = position * arity + 1;
    if (first >= heap_.size()) break;
    const std::size_t end = std::min(first + arity, heap_.size());
    std::size_t earliest = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (heap_[child]->deadline_ns < heap_[earliest]->deadline_ns) earliest = child;
    }
    if (heap_[earliest]->deadline_ns >= timer->deadline_ns) break;
    place(position, heap_[earliest]);
    position = earliest;
  }
  place(position, timer);
}

}  // namespace ringroom::base
