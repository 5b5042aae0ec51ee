#include "connection/record.h"

#include <array>

#include <xxhash.h>

namespace ringroom::connection {

std::uint32_t checksum(const Record& record) {
  const auto lasting = static_cast<std::uint32_t>(record.flags & flag::lasting);
  const std::array<std::uint32_t, 8> kept = {
      record.generation,
      static_cast<std::uint32_t>(record.stage) << 8U |
          static_cast<std::uint32_t>(record.window_bits),
      lasting,
      record.details,
      record.state,
      record.attachment,
      static_cast<std::uint32_t>(record.auto_response_ms),
      static_cast<std::uint32_t>(record.auto_response_ms >> 32U)};
  const auto sum = static_cast<std::uint32_t>(XXH3_64bits(kept.data(), sizeof(kept)));
  return sum == 0 ? 1 : sum;
}

}  // namespace ringroom::connection
