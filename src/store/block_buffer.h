// BlockBuffer: bytes that grow, at an address that direct I/O takes. Kept and used by one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>

namespace ringroom::store {

/// What direct I/O wants addresses, offsets and lengths to be multiples of.
inline constexpr std::size_t block_bytes = 4096;

constexpr std::size_t whole_blocks(std::size_t bytes) {
  return (bytes + block_bytes - 1) / block_bytes * block_bytes;
}

class BlockBuffer {
 public:
  /// The place of `bytes` more, zeroed. Earlier places move.
  std::byte* extend(std::size_t bytes) {
    if (size_ + bytes > capacity_) grow(size_ + bytes);
    std::byte* place = data_.get() + size_;
    if (bytes > 0) std::memset(place, 0, bytes);  // an empty file has no place
    size_ += bytes;
    return place;
  }
  std::byte* data() { return data_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear() { size_ = 0; }
  std::span<std::byte> bytes() { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };

  void grow(std::size_t bytes) {
    const std::size_t capacity = whole_blocks(std::max(bytes, capacity_ * 2));
    std::unique_ptr<std::byte, Free> larger(
        static_cast<std::byte*>(std::aligned_alloc(block_bytes, capacity)));
    if (larger == nullptr) throw std::bad_alloc();
    if (size_ > 0) std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace ringroom::store
