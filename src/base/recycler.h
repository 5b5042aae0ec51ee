// Recycler: like Pool, but for objects that come back in their first state, so that taking and
// giving back costs a few instructions and no construction. Addresses don't change. One thread.
#pragma once

#include "base/assert.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ringroom::base {

template <typename T>
class Recycler {
 public:
  static constexpr std::uint32_t chunk_objects = 16;

  std::uint32_t take() {
    if (free_.empty()) [[unlikely]]
      grow();
    const std::uint32_t index = free_.back();
    free_.pop_back();
    ++taken_;
    return index;
  }
  /// The object is as it was made.
  void give_back(std::uint32_t index) {
    free_.push_back(index);
    if (--taken_ == 0 && chunks_.size() > kept_chunks) shrink();
  }
  T& operator[](std::uint32_t index) {
    return chunks_[index / chunk_objects][index % chunk_objects];
  }
  const T& operator[](std::uint32_t index) const {
    return chunks_[index / chunk_objects][index % chunk_objects];
  }
  std::size_t taken() const { return taken_; }

 private:
  static constexpr std::size_t kept_chunks = 64;

  [[gnu::cold, gnu::noinline]] void grow() {
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * chunk_objects;
    chunks_.push_back(std::make_unique<T[]>(chunk_objects));
    for (std::uint32_t i = chunk_objects; i > 0; --i) free_.push_back(first + i - 1);
  }
  [[gnu::cold, gnu::noinline]] void shrink() {
    chunks_.clear();
    std::vector<std::uint32_t>().swap(free_);
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<std::uint32_t> free_;
  std::size_t taken_ = 0;
};

}  // namespace ringroom::base
