// Stats: what one shard counts. Written by the shard's thread only, read by any thread (metrics)
// without a lock: each number is exact, two of them may be of different moments.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

namespace ringroom::shard {

/// A number with one writer: no locked instruction.
class Counter {
 public:
  void add(std::uint64_t n) { set(value() + n); }
  void subtract(std::uint64_t n) { set(value() - n); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// Durations by powers of two of a microsecond: bucket i holds those below 2^i µs, the last one
/// all others.
class DurationHistogram {
 public:
  static constexpr std::size_t buckets = 24;  // up to 4 s, and above
  void add(std::uint64_t nanoseconds) {
    const std::uint64_t microseconds = nanoseconds / 1000;
    const auto bucket = static_cast<std::size_t>(std::bit_width(microseconds));
    counts_[bucket < buckets ? bucket : buckets - 1].add(1);
    sum_ns_.add(nanoseconds);
  }
  std::uint64_t count(std::size_t bucket) const { return counts_[bucket].value(); }
  std::uint64_t sum_ns() const { return sum_ns_.value(); }
  /// Upper edge of a bucket in seconds; the last one's is infinity.
  static double upper_seconds(std::size_t bucket) {
    return static_cast<double>(std::uint64_t{1} << bucket) * 1e-6;
  }

 private:
  std::array<Counter, buckets> counts_;
  Counter sum_ns_;
};

struct Stats {
  Counter connections_open;
  Counter connections_parked;
  Counter connections_total;
  Counter agents_awake;
  Counter agents_created_total;
  Counter rooms;
  Counter messages_received_total;
  Counter messages_sent_total;
  Counter bytes_received_total;
  Counter bytes_sent_total;
  Counter requests_total;
  Counter upgrades_refused_total;
  Counter handovers_total;
  Counter receive_buffers_exhausted_total;
  Counter outbox_dropped_total;
  Counter outbox_closed_total;
  Counter callbacks_failed_total;
  Counter callbacks_slow_total;
  Counter databases_open;
  Counter databases_opened_total;
  Counter storage_commits_total;
  Counter storage_log_writes_total;
  Counter storage_log_bytes_total;
  Counter storage_segments_waiting;
  Counter storage_segments_written_back_total;
  Counter storage_failures_total;
  DurationHistogram turn_time;
  DurationHistogram tick_lateness;
  DurationHistogram gate_wait;
  DurationHistogram job_lateness;
};

}  // namespace ringroom::shard
