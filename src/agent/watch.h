// Watch: which room's callback a shard is in, for whoever looks from outside: the watchdog that
// names a callback that doesn't come back, and the crash handler. Written by the shard with plain
// stores, read by any thread; a reader takes what it read for true only if nothing changed
// meanwhile. The label is kept in atomic words, so that a reader that comes too late is no data
// race.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringroom::agent_runtime {

class Watch {
 public:
  /// A callback of the room begins. `key` tells rooms apart; the label is copied when it changes.
  void enter(const void* key, std::string_view class_name, std::string_view room) {
    if (key != key_) [[unlikely]]
      set_label(key, class_name, room);
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
  /// "chat-room/lobby" of the running or last callback. For a crash handler on the shard's thread,
  /// which alone may read what it writes without asking.
  std::string_view label() const {
    return {reinterpret_cast<const char*>(label_.data()),
            label_bytes_.load(std::memory_order_relaxed)};
  }
  /// The label if the callback of `expected` is still running, else "". Any thread.
  std::string label_of(std::uint64_t expected) const {
    // Acquired one by one: who reads a word of a later label then sees the later sequence too.
    const std::size_t bytes = label_bytes_.load(std::memory_order_acquire);
    Words words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
      words[i] = label_[i].load(std::memory_order_acquire);
    }
    if (sequence() != expected) return {};
    return {reinterpret_cast<const char*>(words.data()), bytes};
  }

  /// The watch of the calling thread's shard, null elsewhere; for the crash handler, which has
  /// nothing but its thread.
  static const Watch* of_thread();
  static void set_of_thread(const Watch* watch);

 private:
  static constexpr std::size_t label_bytes_max = 160;
  using Words = std::array<std::uint64_t, label_bytes_max / sizeof(std::uint64_t)>;

  void step() {
    sequence_.store(sequence_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  [[gnu::cold, gnu::noinline]] void set_label(const void* key,
                                              std::string_view class_name,
                                              std::string_view room) {
    key_ = key;
    Words words{};
    char* text = reinterpret_cast<char*>(words.data());
    const std::size_t first = class_name.copy(text, label_bytes_max / 2);
    text[first] = '/';
    const std::size_t second = room.copy(text + first + 1, label_bytes_max - first - 1);
    const std::size_t bytes = first + 1 + second;
    label_bytes_.store(bytes, std::memory_order_release);
    for (std::size_t i = 0; i * sizeof(words[0]) < bytes; ++i) {
      label_[i].store(words[i], std::memory_order_release);
    }
  }

  const void* key_ = nullptr;
  std::atomic<std::uint64_t> sequence_ = 0;
  std::atomic<std::size_t> label_bytes_ = 0;
  std::array<std::atomic<std::uint64_t>, label_bytes_max / sizeof(std::uint64_t)> label_{};
  static_assert(sizeof(label_) == label_bytes_max);
};

}  // namespace ringroom::agent_runtime
