// BatchAccess: how the readers fill a public Batch, and how it reads itself. Any thread.
#pragma once

#include "ringroom/batch.h"

namespace ringroom::detail {

struct BatchAccess {
  static void set_head(Batch& batch,
                       std::int64_t timestamp_ms,
                       std::uint64_t sequence,
                       std::uint32_t missed) {
    batch.timestamp_ms_ = timestamp_ms;
    batch.sequence_ = sequence;
    batch.missed_ = missed;
  }
  /// `messages` is a verified vector of tables.
  static void set_flat(Batch& batch, const void* messages, std::size_t size) {
    batch.messages_ = messages;
    batch.size_ = size;
    batch.is_flat_ = true;
  }
  static void set_array(Batch& batch, const BatchedMessage* messages, std::size_t size) {
    batch.messages_ = messages;
    batch.size_ = size;
    batch.is_flat_ = false;
  }
};

}  // namespace ringroom::detail
