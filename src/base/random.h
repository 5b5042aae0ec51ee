// Random: a fast generator for ids and jitter, seeded by the kernel or by a test. Not for secrets.
// One per shard; not shared.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace ringroom::base {

class Random {
 public:
  explicit Random(std::uint64_t seed);
  /// Seeded by getrandom(2).
  static Random from_kernel();

  /// 64 uniform bits (xoshiro256**).
  std::uint64_t next();

  /// A nanoid: 21 characters of A-Za-z0-9_-, 126 random bits.
  std::string nanoid();

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace ringroom::base
