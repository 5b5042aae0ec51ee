#include "base/random.h"

#include "base/assert.h"

#include <sys/random.h>

namespace ringroom::base {

namespace {

std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t mixed = (state += 0x9e3779b97f4a7c15);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) word = split_mix(seed);
}

Random Random::from_kernel() {
  std::uint64_t seed = 0;
  ASSERT(getrandom(&seed, sizeof(seed), 0) == sizeof(seed));
  return Random(seed);
}

std::string Random::nanoid() {
  static constexpr char alphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  std::string id(21, '\0');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i % 10 == 0) bits = next();
    id[i] = alphabet[bits & 63];
    bits >>= 6;
  }
  return id;
}

}  // namespace ringroom::base
