#include "codec/ws/mask.h"

namespace ringroom::codec::ws::detail {

bool mask_long(std::byte* data, std::size_t size, MaskKey key) noexcept {
  constexpr std::size_t step = 2 * sizeof(Vector32);
  std::byte* const end = data + size;
  Vector32 seen{};
  for (std::size_t left = size; left > step; left -= step) {
    Vector32 first;
    Vector32 second;
    std::memcpy(&first, data, sizeof first);
    std::memcpy(&second, data + sizeof first, sizeof second);
    first ^= key;
    second ^= key;
    seen |= first | second;
    std::memcpy(data, &first, sizeof first);
    std::memcpy(data + sizeof first, &second, sizeof second);
    data += step;
  }
  // The steps are whole multiples of the key, so the key stands as it stood at the start.
  const bool rest_is_ascii = unmask(data, static_cast<std::size_t>(end - data), key);
  return rest_is_ascii && !has_high_bit(seen);
}

}  // namespace ringroom::codec::ws::detail
