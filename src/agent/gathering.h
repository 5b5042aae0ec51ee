// Gathering: whether a shard may let what comes in wait a little for more
// (AgentOptions::gather_ms). It may when all its connections have envelopes, or ticks, of classes
// that say so; the most impatient of them decides, and every deadline ends it. The Runtime's, on
// its shard; a count and a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace ringroom::agent_runtime {

class Gathering {
 public:
  /// A connection with envelopes or ticks came or left, of a class with this option; 0: it won't
  /// wait.
  void join(std::uint32_t gather_ms) {
    if (gather_ms == 0) return;
    const std::uint32_t at_most_ms = std::min(gather_ms, ms_max);
    ms_ = connections_++ == 0 ? at_most_ms : std::min(ms_, at_most_ms);
  }
  void leave(std::uint32_t gather_ms) {
    if (gather_ms > 0) --connections_;
  }

  /// How long the shard may wait for more while it has so many connections; 0: not at all.
  std::uint64_t wait_ns(std::size_t connections) const {
    return connections_ > 0 && connections == connections_ ? ms_ * std::uint64_t{1'000'000} : 0;
  }

 private:
  static constexpr std::uint32_t ms_max = 1000;

  std::size_t connections_ = 0;  // that agree
  std::uint32_t ms_ = 0;
};

}  // namespace ringroom::agent_runtime
