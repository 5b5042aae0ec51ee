// Histogram: latencies in nanoseconds, log-linear as HdrHistogram's with three significant digits:
// every value is off by less than 0.1 %. 256 KiB each, whatever is added; values above 18 minutes
// count as 18 minutes. A value; one thread at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringroom::load {

class Histogram {
 public:
  /// Values up to here have buckets of their own kind; larger ones go into the last.
  static constexpr std::uint64_t value_max = (std::uint64_t{1} << 40) - 1;

  Histogram();

  void add(std::uint64_t value, std::uint64_t times = 1) {
    const std::uint64_t kept = value < value_max ? value : value_max;
    counts_[index_of(kept)] += times;
    count_ += times;
    sum_ += static_cast<double>(kept) * static_cast<double>(times);
    if (kept > max_) max_ = kept;
    if (kept < min_) min_ = kept;
  }
  void merge(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

  /// The smallest value that is not below this share of all (0 to 1); 0 of an empty one. Rounded up
  /// to the end of its bucket, but never above max().
  std::uint64_t quantile(double share) const;

 private:
  static constexpr unsigned half_bits = 10;
  static constexpr std::uint64_t half = std::uint64_t{1} << half_bits;

  // Below 2 * half the value itself; from there on `half` buckets for each doubling.
  static constexpr std::size_t index_of(std::uint64_t value) {
    if (value < 2 * half) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - half_bits - 1;
    return (std::size_t{shift} << half_bits) + (value >> shift);
  }
  static constexpr std::uint64_t upper_end(std::size_t index) {
    if (index < 2 * half) return index;
    const std::size_t shift = (index >> half_bits) - 1;
    return (((index & (half - 1)) + half + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  std::uint64_t min_ = UINT64_MAX;
  double sum_ = 0;
};

}  // namespace ringroom::load
