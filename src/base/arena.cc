#include "base/arena.h"

namespace ringroom::base {

void Arena::take_block(std::size_t bytes) {
  if (bytes > block_bytes) {
    // Of its own, and the next small one starts a new block: the old pointers stay good.
    large_.push_back(std::make_unique_for_overwrite<std::byte[]>(bytes));
    next_ = large_.back().get();
    end_ = next_ + bytes;
    return;
  }
  if (used_blocks_ == blocks_.size()) {
    blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block_bytes));
  }
  next_ = blocks_[used_blocks_++].get();
  end_ = next_ + block_bytes;
}

}  // namespace ringroom::base
