// RecvBuffers: the memory that the kernel fills, shared by all connections of one shard: 8 pieces
// filled bit by bit (IOU_PBUF_RING_INC), 2 MiB in all unless RingOptions say less, or 128 pieces of
// 16 KiB used whole. One per ring, on its thread. While the kernel owns bytes they are poisoned
// under ASan.
#pragma once

#include "reactor/uapi.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringroom::reactor {

class RecvBuffers {
 public:
  static constexpr std::uint16_t group = 1;

  RecvBuffers() = default;
  ~RecvBuffers();
  RecvBuffers(const RecvBuffers&) = delete;
  RecvBuffers& operator=(const RecvBuffers&) = delete;

  /// Maps and registers pieces filled bit by bit, `bytes` in all. 0, or -errno; -EINVAL: no such
  /// buffers here.
  int set_up_incremental(io_uring* ring, std::size_t bytes) {
    return set_up(ring, true, bytes, bytes / incremental_pieces);
  }
  /// The others.
  int set_up_whole(io_uring* ring) {
    return set_up(ring, false, whole_pieces * whole_piece_bytes, whole_piece_bytes);
  }

  /// The bytes a completion speaks of, in the order of completions; holds the buffer once.
  std::byte* take(std::uint32_t completion_flags, std::size_t bytes);
  void hold(std::uint16_t buffer) { ++states_[buffer].holds; }
  /// True if the buffer went back to the kernel.
  bool release(std::uint16_t buffer);
  /// Whether a receive would find a buffer.
  bool kernel_has_any() const { return with_kernel_ > 0; }

 private:
  struct State {
    std::uint32_t offset = 0;  // where the kernel writes next
    std::uint32_t holds = 0;   // users on our side
    bool kernel_owns = false;
  };

  static constexpr std::size_t incremental_pieces = 8;
  static constexpr std::size_t whole_pieces = 128;
  static constexpr std::size_t whole_piece_bytes = 16 * 1024;

  int set_up(io_uring* ring, bool incremental, std::size_t bytes, std::size_t bytes_each);
  void unmap();
  void give_back(std::uint16_t buffer);
  std::byte* begin_of(std::uint16_t buffer) { return memory_ + buffer * bytes_each_; }

  io_uring_buf_ring* ring_ = nullptr;
  std::size_t ring_bytes_ = 0;
  std::byte* memory_ = nullptr;
  std::size_t memory_bytes_ = 0;
  std::size_t bytes_each_ = 0;
  bool incremental_ = false;
  std::vector<State> states_;
  std::size_t with_kernel_ = 0;
};

}  // namespace ringroom::reactor
