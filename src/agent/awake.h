// AwakeReason: what keeps an agent in memory, in the words of Agent::why_awake and /metrics.
// Values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringroom::agent_runtime {

enum class AwakeReason : std::uint8_t {
  never_hibernates,
  message,  // an event less than hibernate_after ago
  tick,
  timer,
  request,
  keep_alive,
  outbox,
  partial_message,
  output_gate,
};

inline constexpr std::array<std::string_view, 9> awake_reason_names = {
    "never hibernates", "message",         "tick",       "timer", "request", "keep_alive",
    "outbox",           "partial message", "output gate"};

/// A set of reasons.
class AwakeReasons {
 public:
  void add(AwakeReason reason, bool holds = true) {
    if (holds) bits_ = static_cast<std::uint8_t>(bits_ | 1U << static_cast<unsigned>(reason));
  }
  bool has(std::size_t reason) const { return (bits_ >> reason & 1U) != 0; }
  bool empty() const { return bits_ == 0; }

 private:
  std::uint8_t bits_ = 0;
};

/// How many agents each reason keeps awake; one may have several.
using AwakeCounts = std::array<std::uint64_t, awake_reason_names.size()>;

}  // namespace ringroom::agent_runtime
