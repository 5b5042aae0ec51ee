// Random: a fast generator for ids and jitter, seeded by the kernel or by a test. Not for secrets.
// One per shard; not shared.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>

namespace ringroom::base {

class Random {
 public:
  explicit Random(std::uint64_t seed);
  /// Seeded by getrandom(2).
  static Random from_kernel();

  /// 64 uniform bits (xoshiro256**).
  [[gnu::always_inline]] std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// A nanoid: 21 characters of A-Za-z0-9_-, 126 random bits.
  std::string nanoid();

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace ringroom::base
