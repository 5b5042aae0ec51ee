#include "connection/record.h"

#include <array>

#include <xxhash.h>

namespace ringroom::connection {

std::uint32_t checksum(const Record& record) {
  const std::array<std::uint32_t, 6> kept = {
      record.generation,
      static_cast<std::uint32_t>(record.stage),
      static_cast<std::uint32_t>(record.window_bits) << 1U | (record.has(flag::deflate) ? 1U : 0U),
      record.details,
      record.state,
      record.attachment};
  const auto sum = static_cast<std::uint32_t>(XXH3_64bits(kept.data(), sizeof(kept)));
  return sum == 0 ? 1 : sum;
}

}  // namespace ringroom::connection
