// Active: what a connection has only while something is under way: frames of this turn, a message
// partly received, bytes the kernel didn't take, a deadline. In its shard's pool; given back as
// soon as the connection is quiet, so that a quiet one holds no buffer.
#pragma once

#include "base/timer_heap.h"
#include "codec/ws/decoder.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ringroom::connection {

/// Bytes to send that stay where they are until the turn's sends are settled.
struct Segment {
  const std::byte* data;
  std::size_t bytes;
};

/// The frames of a turn in order; what lies behind each other is one segment.
class Segments {
 public:
  void append(const std::byte* data, std::size_t bytes) {
    bytes_ += bytes;
    if (end_ != data) add(data, bytes);
    end_ = data + bytes;
  }
  std::span<const Segment> all() {
    end_last();
    if (count_ <= inline_max) return {few_.data(), count_};
    return many_;
  }
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return count_ == 0; }
  void clear() {
    count_ = 0;
    bytes_ = 0;
    end_ = nullptr;
    if (many_.capacity() > 0) std::vector<Segment>().swap(many_);
  }

 private:
  static constexpr std::size_t inline_max = 4;

  // The last one's length isn't kept up while it grows.
  void end_last() {
    if (count_ == 0) return;
    Segment& last = count_ <= inline_max ? few_[count_ - 1] : many_.back();
    last.bytes = static_cast<std::size_t>(end_ - last.data);
  }
  void add(const std::byte* data, std::size_t bytes) {
    end_last();
    if (count_ < inline_max) [[likely]] {
      few_[count_++] = {data, bytes};
    } else {
      add_to_many(data, bytes);
    }
  }
  [[gnu::noinline]] void add_to_many(const std::byte* data, std::size_t bytes) {
    if (count_ == inline_max) many_.assign(few_.begin(), few_.end());
    many_.push_back({data, bytes});
    ++count_;
  }

  std::array<Segment, inline_max> few_;
  std::vector<Segment> many_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  const std::byte* end_ = nullptr;  // of the last segment
};

/// What the kernel didn't take, copied. `rest` is with the kernel and doesn't move; `waiting`
/// comes behind it and grows; `held` comes behind that, and waits for the room's output gate: up to
/// each mark until that batch is durable.
struct Backlog {
  struct Mark {
    std::uint64_t batch;
    std::size_t end;
  };
  std::vector<std::byte> rest;
  std::size_t rest_taken = 0;
  std::vector<std::byte> waiting;
  std::vector<std::byte> held;
  std::vector<Mark> marks;
  bool in_flight = false;

  std::size_t bytes() const { return rest.size() - rest_taken + waiting.size() + held.size(); }
  /// What is sent now goes behind something.
  bool is_busy() const { return in_flight || !held.empty(); }
  bool empty() const { return !is_busy() && rest.size() == rest_taken && waiting.empty(); }
};

struct Active {
  codec::ws::Decoder decoder;
  Segments segments;
  Backlog backlog;
  std::vector<std::byte> input;  // received, not looked at yet
  base::Timer timer;
  std::uint32_t session = UINT32_MAX;  // of a connection that speaks HTTP

  bool quiet() const {
    return segments.empty() && backlog.empty() && input.empty() && !timer.is_set() &&
           session == UINT32_MAX && decoder.idle();
  }
};

}  // namespace ringroom::connection
