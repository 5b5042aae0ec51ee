#include "load/staircase.h"

#include <algorithm>
#include <utility>

namespace ringroom::load {

bool Staircase::add(const Part& part, const Histogram& latency) {
  step_.faults += part.tally.faults_total() + part.tally.corrupted;
  if (part_ == 0) {
    cpu_at_begin_ns_ = part.server_cpu_ns;
    ++part_;
    return true;
  }
  latency_.merge(latency);
  length_s_ += part.length_s;
  received_ += part.tally.received;
  step_.client_use = std::max(step_.client_use, part.client_use);
  if (++part_ < parts) return true;
  step_.players = part.open;
  step_.p50_ns = latency_.quantile(0.5);
  step_.p99_ns = latency_.quantile(0.99);
  step_.max_ns = latency_.max();
  step_.received_rate = static_cast<double>(received_) / length_s_;
  step_.server_use = (part.server_cpu_ns - cpu_at_begin_ns_) / 1e9 / length_s_;
  const bool is_whole = latency_.count() != 0 && step_.faults == 0;
  step_.is_carried = is_whole && step_.p99_ns <= p99_max_ns_;
  late_in_a_row_ = is_whole && !step_.is_carried ? late_in_a_row_ + 1 : 0;
  steps_.push_back(std::exchange(step_, {}));
  latency_.clear();
  length_s_ = 0;
  received_ = 0;
  part_ = 0;
  return steps_.back().is_carried || late_in_a_row_ == 1;
}

std::uint32_t Staircase::players() const {
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    if (step->is_carried) return step->players;
  }
  return 0;
}

}  // namespace ringroom::load
