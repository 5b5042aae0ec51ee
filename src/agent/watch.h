// Watch: which room's callback a shard is in, for whoever looks from outside: the watchdog that
// names a callback that doesn't come back, and the crash handler. Written by the shard with plain
// stores, read by any thread; a reader takes what it read for true only if nothing changed meanwhile.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ringroom::agent_runtime {

class Watch {
 public:
  /// A callback of the room begins. `key` tells rooms apart; the label is copied when it changes.
  void enter(const void* key, std::string_view class_name, std::string_view room) {
    if (key != key_) [[unlikely]] set_label(key, class_name, room);
    step();
  }
  void leave() { step(); }
  /// The room is gone; its address may come again for another.
  void forget(const void* key) {
    if (key == key_) key_ = nullptr;
  }

  /// Odd inside of a callback, and another number for each.
  std::uint64_t sequence() const { return sequence_.load(std::memory_order_acquire); }
  bool inside() const { return sequence() % 2 == 1; }
  /// "chat-room/lobby" of the running or last callback. For a crash handler on the shard's thread.
  std::string_view label() const { return {label_, label_bytes_.load(std::memory_order_relaxed)}; }
  /// The label if the callback of `expected` is still running, else "". Any thread.
  std::string label_of(std::uint64_t expected) const {
    std::string copy(label());
    std::atomic_thread_fence(std::memory_order_acquire);
    return sequence() == expected ? copy : std::string();
  }

  /// The watch of the calling thread's shard, null elsewhere; for the crash handler, which has
  /// nothing but its thread.
  static const Watch* of_thread();
  static void set_of_thread(const Watch* watch);

 private:
  static constexpr std::size_t label_bytes_max = 160;

  void step() {
    sequence_.store(sequence_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  void set_label(const void* key, std::string_view class_name, std::string_view room) {
    key_ = key;
    const std::size_t first = std::min(class_name.size(), label_bytes_max / 2);
    std::memcpy(label_, class_name.data(), first);
    label_[first] = '/';
    const std::size_t second = std::min(room.size(), label_bytes_max - first - 1);
    std::memcpy(label_ + first + 1, room.data(), second);
    label_bytes_.store(first + 1 + second, std::memory_order_relaxed);
  }

  const void* key_ = nullptr;
  std::atomic<std::uint64_t> sequence_ = 0;
  std::atomic<std::size_t> label_bytes_ = 0;
  char label_[label_bytes_max] = {};
};

}  // namespace ringroom::agent_runtime
