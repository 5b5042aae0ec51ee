// Schedule: when the messages of an open loop are meant to leave: evenly spaced, or at a rate that
// rises or falls evenly, whatever the server does. A latency counts from these moments, so a server
// that stalls is charged for all that should have left meanwhile (no coordinated omission). A
// value; pure arithmetic.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace ringroom::load {

/// A time with one rate, in messages a second, or with one that goes evenly from one to another.
struct Stretch {
  std::uint64_t length_ns = 0;
  double rate_begin = 0;
  double rate_end = 0;

  double length_s() const { return static_cast<double>(length_ns) / 1e9; }
  double messages() const { return (rate_begin + rate_end) / 2 * length_s(); }
  /// Since its begin, when so many are done.
  double seconds_of(double messages) const {
    if (messages <= 0) return 0;
    if (rate_begin == rate_end) return messages / rate_begin;
    const double slope = (rate_end - rate_begin) / length_s();
    const double root = std::sqrt(std::fmax(rate_begin * rate_begin + 2 * slope * messages, 0.0));
    return 2 * messages / (rate_begin + root);
  }
};

class Schedule {
 public:
  /// One stretch after the other from `begin_ns` on, the first message `phase` (0 to 1) of a gap
  /// later.
  Schedule(std::uint64_t begin_ns, std::vector<Stretch> stretches, double phase)
      : begin_ns_(begin_ns), stretches_(std::move(stretches)), phase_(phase) {
    skip();
  }
  Schedule(std::uint64_t begin_ns, double rate, double phase)
      : Schedule(begin_ns, {{UINT64_MAX, rate, rate}}, phase) {}

  /// When the next one is due; UINT64_MAX: there is none.
  std::uint64_t next_ns() const { return next_ns_; }
  /// Its number, from 0.
  std::uint64_t turn() const { return taken_; }
  void take() {
    ++taken_;
    skip();
  }

 private:
  // To the stretch of the next one. Its time is from the count, as adding up rounded gaps would
  // drift.
  void skip() {
    const double wanted = static_cast<double>(taken_) + phase_;
    while (at_ < stretches_.size() && wanted - before_ >= stretches_[at_].messages()) {
      before_ += stretches_[at_].messages();
      begin_ns_ += stretches_[at_].length_ns;
      ++at_;
    }
    if (at_ == stretches_.size()) {
      next_ns_ = UINT64_MAX;
    } else {
      const double seconds = stretches_[at_].seconds_of(wanted - before_);
      next_ns_ = begin_ns_ + static_cast<std::uint64_t>(seconds * 1e9);
    }
  }

  std::uint64_t begin_ns_;  // of the current stretch
  std::vector<Stretch> stretches_;
  double phase_;
  std::size_t at_ = 0;
  double before_ = 0;  // messages of the stretches before
  std::uint64_t taken_ = 0;
  std::uint64_t next_ns_ = 0;
};

}  // namespace ringroom::load
