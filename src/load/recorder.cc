#include "load/recorder.h"

#include <algorithm>
#include <utility>

namespace ringroom::load {

void Recorder::set_phases(std::vector<std::uint64_t> ends_ns) {
  ends_ns_ = std::move(ends_ns);
  phases_.resize(ends_ns_.size());
}

// ends_ns_.size(): none.
std::size_t Recorder::phase_at(std::uint64_t moment_ns) const {
  if (moment_ns < times.measure_ns) return ends_ns_.size();
  const auto end = std::upper_bound(ends_ns_.begin(), ends_ns_.end(), moment_ns);
  return static_cast<std::size_t>(end - ends_ns_.begin());
}

void Recorder::move_to(std::uint64_t now_ns) {
  if (now_ns - phase_begin_ns_ < phase_ns_) return;
  settle();
  if (phase_ns_ != 0) {
    phases_[phase_].merge(current_);
    others_.merge(current_);
    current_.clear();
  }
  phase_ = phase_at(now_ns);
  phase_ns_ = 0;
  if (phase_ == ends_ns_.size()) return;
  phase_begin_ns_ = phase_ == 0 ? times.measure_ns : ends_ns_[phase_ - 1];
  phase_ns_ = ends_ns_[phase_] - phase_begin_ns_;
}

void Recorder::settle() {
  if (times_ == 0) return;
  const std::uint64_t count = std::exchange(times_, 0);
  const std::uint64_t latency = came_ns_ > intended_ns_ ? came_ns_ - intended_ns_ : 0;
  if (intended_ns_ - phase_begin_ns_ < phase_ns_) return current_.add(latency, count);
  others_.add(latency, count);
  const std::size_t phase = phase_at(intended_ns_);
  if (phase < phases_.size()) phases_[phase].add(latency, count);
}

void Recorder::record_outside(std::uint64_t latency) {
  others_.add(latency);
  outside_.add(latency);
}

Histogram Recorder::take_interval() {
  settle();
  if (phase_ns_ != 0) phases_[phase_].merge(current_);
  others_.merge(current_);
  current_.clear();
  Histogram interval = others_;
  others_.clear();
  return interval;
}

Histogram Recorder::measured() {
  Histogram all = outside_;
  for (const Histogram& phase : phases()) all.merge(phase);
  return all;
}

std::vector<Histogram> Recorder::phases() {
  settle();
  std::vector<Histogram> made = phases_;
  if (phase_ns_ != 0) made[phase_].merge(current_);
  return made;
}

}  // namespace ringroom::load
