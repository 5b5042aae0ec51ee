// The XOR mask of client frames (RFC 6455 §5.3), in place. Free functions on plain arguments so
// that the loop lives in registers: any thread, no owner, no memory.
#pragma once

#include "codec/ws/frame.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace ringroom::codec::ws {

/// The four key bytes in the order of the wire, as one machine word (loaded with memcpy).
using MaskKey = std::uint32_t;

/// The key of bytes on the wire.
inline MaskKey load_mask_key(const std::byte* bytes) {
  MaskKey key = 0;
  std::memcpy(&key, bytes, sizeof key);
  return key;
}

/// The key with which a frame goes on after `bytes` of its payload.
constexpr MaskKey rotate_mask_key(MaskKey key, std::size_t bytes) {
  const int bits = static_cast<int>(bytes % sizeof key) * 8;
  return std::endian::native == std::endian::little ? std::rotr(key, bits) : std::rotl(key, bits);
}

namespace detail {

using Vector16 [[gnu::vector_size(16)]] = std::uint32_t;
using Vector32 [[gnu::vector_size(32)]] = std::uint32_t;

inline bool has_high_bit(std::uint64_t word) {
  return (word & 0x8080808080808080U) != 0;
}

inline bool has_high_bit(const Vector16& vector) {
#ifdef __SSE2__
  return _mm_movemask_epi8(std::bit_cast<__m128i>(vector)) != 0;
#else
  const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(vector);
  return has_high_bit(words[0] | words[1]);
#endif
}

inline bool has_high_bit(const Vector32& vector) {
#ifdef __AVX2__
  return _mm256_movemask_epi8(std::bit_cast<__m256i>(vector)) != 0;
#else
  const auto halves = std::bit_cast<std::array<Vector16, 2>>(vector);
  return has_high_bit(halves[0] | halves[1]);
#endif
}

/// XORs the first and the last `sizeof(Word)` bytes of `data`, which may overlap: both are read
/// before one is written, so the bytes in the middle get the same value twice. Needs
/// sizeof(Word) <= size <= 2 * sizeof(Word). A vector takes the key into each of its lanes. Returns
/// whether the results are ASCII; where nobody asks, the compiler leaves that out.
template <typename Word, typename Key>
inline bool mask_both_ends(std::byte* data, std::size_t size, Key head_key, Key tail_key) {
  std::byte* const last = data + size - sizeof(Word);
  Word head;
  Word tail;
  std::memcpy(&head, data, sizeof head);
  std::memcpy(&tail, last, sizeof tail);
  head ^= head_key;
  tail ^= tail_key;
  std::memcpy(data, &head, sizeof head);
  std::memcpy(last, &tail, sizeof tail);
  return !has_high_bit(head | tail);
}

constexpr std::uint64_t twice(MaskKey key) {
  return key | (static_cast<std::uint64_t>(key) << 32U);
}

/// For 65 bytes and more.
bool mask_long(std::byte* data, std::size_t size, MaskKey key) noexcept;

/// For up to 3 bytes.
inline bool mask_bytes(std::byte* data, std::size_t size, MaskKey key) {
  std::byte key_bytes[mask_key_bytes];
  std::memcpy(key_bytes, &key, sizeof key_bytes);
  std::byte seen{};
  for (std::size_t i = 0; i < size; ++i) {
    data[i] ^= key_bytes[i];
    seen |= data[i];
  }
  return !has_high_bit(std::to_integer<std::uint64_t>(seen));
}

}  // namespace detail

/// XORs `size` bytes with the key. Its own inverse: masks and unmasks. Returns whether the result
/// is all ASCII, which costs next to nothing while the bytes are in registers. Up to 64 bytes it is
/// at most two loads and two stores inline; beyond, a loop of vectors as wide as the build's -march
/// has.
[[gnu::always_inline]] inline bool unmask(std::byte* data, std::size_t size, MaskKey key) noexcept {
  const MaskKey tail_key = rotate_mask_key(key, size);
  if (size > 64) {
    return detail::mask_long(data, size, key);
  }
  if (size >= 32) {
    return detail::mask_both_ends<detail::Vector32>(data, size, key, tail_key);
  }
  if (size >= 16) {
    return detail::mask_both_ends<detail::Vector16>(data, size, key, tail_key);
  }
  if (size >= 8) {
    return detail::mask_both_ends<std::uint64_t>(data, size, detail::twice(key),
                                                 detail::twice(tail_key));
  }
  if (size >= 4) {
    return detail::mask_both_ends<std::uint32_t>(data, size, key, tail_key);
  }
  return detail::mask_bytes(data, size, key);
}

}  // namespace ringroom::codec::ws
