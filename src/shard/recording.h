// Recording: what the members of one room send, with times, while somebody waits for it
// (`ringroom record`). Of the room's home shard, on its thread; as lines of JSON in memory, bounded
// by its order.
#pragma once

#include "agent/host.h"
#include "base/timer_heap.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ringroom::shard {

/// What is to be recorded, and who wants it.
struct RecordingOrder {
  const detail::AgentClassInfo& info;
  std::string room;
  std::size_t bytes_max = 0;
  std::uint64_t length_ns = 0;
  unsigned from = 0;  // the shard that gets it
  std::uint64_t ticket = 0;
};

class Recording {
 public:
  Recording(RecordingOrder order, std::uint64_t now_ns);

  const RecordingOrder& order() const { return order_; }
  std::uint64_t ends_ns() const { return begin_ns_ + order_.length_ns; }
  bool is_of(std::string_view class_name, std::string_view room) const {
    return order_.info.name == class_name && order_.room == room;
  }
  /// One message of one member, named by its place and generation in the slab. False: there is no
  /// room for it, and the recording is over.
  bool take(std::uint64_t member,
            std::span<const std::byte> message,
            bool is_text,
            std::uint64_t now_ns);
  /// The whole of it. `why`: "time", "full" or "stopped".
  std::string finish(std::string_view why, std::uint64_t now_ns);

 private:
  std::uint64_t microseconds(std::uint64_t now_ns) const { return (now_ns - begin_ns_) / 1000; }

  RecordingOrder order_;
  std::uint64_t begin_ns_;
  std::string text_;
  std::string line_;
  std::vector<std::byte> encoded_;
  std::unordered_map<std::uint64_t, std::size_t> members_;  // numbered as they first speak
};

}  // namespace ringroom::shard
