// Arena: memory for a turn, taken by moving a pointer and given back all at once. What follows
// each other is contiguous, so that frames for one connection need one send. One per purpose and
// shard; keeps its first blocks, drops the rest at reset(), so its size follows the last turn.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace ringroom::base {

class Arena {
 public:
  static constexpr std::size_t block_bytes = 256 * 1024;
  static constexpr std::size_t kept_blocks = 4;

  /// Uninitialised bytes, unaligned, good until reset().
  std::byte* take(std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - next_) < bytes) [[unlikely]]
      take_block(bytes);
    std::byte* taken = next_;
    next_ += bytes;
    return taken;
  }
  std::string_view keep(std::string_view text) {
    std::byte* copy = take(text.size());
    if (!text.empty()) std::memcpy(copy, text.data(), text.size());
    return {reinterpret_cast<const char*>(copy), text.size()};
  }

  void reset() {
    if (next_ == nullptr) return;
    large_.clear();
    if (blocks_.size() > kept_blocks) blocks_.resize(kept_blocks);
    used_blocks_ = 0;
    next_ = nullptr;
    end_ = nullptr;
  }

 private:
  void take_block(std::size_t bytes);

  std::byte* next_ = nullptr;
  std::byte* end_ = nullptr;
  std::size_t used_blocks_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::vector<std::unique_ptr<std::byte[]>> large_;
};

}  // namespace ringroom::base
