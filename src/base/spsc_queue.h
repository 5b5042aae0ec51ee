// SpscQueue: a bounded queue between two threads, one that pushes and one that pops. No lock; each
// side works on its own cache line and looks at the other's only when its copy says full or empty.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace ringroom::base {

template <typename T, std::size_t capacity>
class SpscQueue {
  static_assert((capacity & (capacity - 1)) == 0, "a power of two");

 public:
  /// The pushing thread. False if it is full.
  bool push(T value) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == capacity) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ == capacity) return false;
    }
    slots_[tail % capacity] = value;
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  /// The popping thread. False if it is empty.
  bool pop(T& value) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return false;
    }
    value = slots_[head % capacity];
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  /// The popping thread.
  bool empty() const {
    return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire);
  }

 private:
  alignas(64) std::atomic<std::size_t> tail_ = 0;
  std::size_t head_seen_ = 0;  // the pusher's copy
  alignas(64) std::atomic<std::size_t> head_ = 0;
  std::size_t tail_seen_ = 0;  // the popper's copy
  alignas(64) std::array<T, capacity> slots_{};
};

}  // namespace ringroom::base
