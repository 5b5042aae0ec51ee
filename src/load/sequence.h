// Sequence: one stream of numbered messages at its receiver: which came twice, late, or not at all.
// Remembers the last 64 numbers; what is older than that and was seen missing counts as lost for
// good. 16 bytes; a value of its owner's.
#pragma once

#include <cstdint>

namespace ringroom::load {

enum class Arrival : std::uint8_t { in_order, late, duplicate };

class Sequence {
 public:
  static constexpr std::uint32_t window = 64;

  /// Numbers start at 0. Late: a later one was there before it.
  Arrival take(std::uint32_t number) {
    if (number >= next_) {
      const std::uint32_t step = number - next_ + 1;
      seen_ = step < window ? (seen_ << step) | 1U : 1U;
      next_ = number + 1;
      return Arrival::in_order;
    }
    const std::uint32_t age = next_ - 1 - number;
    if (age >= window) return Arrival::duplicate;
    const std::uint64_t bit = std::uint64_t{1} << age;
    if ((seen_ & bit) != 0) return Arrival::duplicate;
    seen_ |= bit;
    return Arrival::late;
  }

 private:
  std::uint32_t next_ = 0;
  std::uint64_t seen_ = 0;  // bit 0: next_ - 1
};

}  // namespace ringroom::load
