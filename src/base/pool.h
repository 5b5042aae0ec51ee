// Pool: objects named by a small index, at addresses that don't change, taken and given back in
// constant time. Memory grows by chunks and is kept for the next storm; chunks that are empty when
// the pool is, are freed. One thread.
#pragma once

#include "base/assert.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace ringroom::base {

template <typename T>
class Pool {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;
  static constexpr std::uint32_t chunk_objects = 16;

  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { ASSERT(live_ == 0); }

  template <typename... Arguments>
  std::uint32_t make(Arguments&&... arguments) {
    if (free_.empty()) [[unlikely]]
      grow();
    const std::uint32_t index = free_.back();
    free_.pop_back();
    ::new (cell(index)) T(static_cast<Arguments&&>(arguments)...);
    ++live_;
    return index;
  }
  void destroy(std::uint32_t index) {
    (*this)[index].~T();
    free_.push_back(index);
    if (--live_ == 0 && chunks_.size() > 1) shrink();
  }
  T& operator[](std::uint32_t index) { return *std::launder(reinterpret_cast<T*>(cell(index))); }
  const T& operator[](std::uint32_t index) const {
    return *std::launder(reinterpret_cast<const T*>(cell(index)));
  }
  std::size_t size() const { return live_; }

 private:
  struct Cell {
    alignas(T) std::byte bytes[sizeof(T)];
  };

  std::byte* cell(std::uint32_t index) {
    return chunks_[index / chunk_objects][index % chunk_objects].bytes;
  }
  const std::byte* cell(std::uint32_t index) const {
    return chunks_[index / chunk_objects][index % chunk_objects].bytes;
  }
  void grow() {
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * chunk_objects;
    chunks_.push_back(std::make_unique_for_overwrite<Cell[]>(chunk_objects));
    for (std::uint32_t i = chunk_objects; i > 0; --i) free_.push_back(first + i - 1);
  }
  void shrink() {
    chunks_.clear();
    free_.clear();
    free_.shrink_to_fit();
  }

  std::vector<std::unique_ptr<Cell[]>> chunks_;
  std::vector<std::uint32_t> free_;
  std::size_t live_ = 0;
};

}  // namespace ringroom::base
