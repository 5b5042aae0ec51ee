// SimBuffers: the provided-buffer ring of one simulated ring, incremental or fixed. Bytes are
// poisoned for AddressSanitizer, and 0xDD after a release, whenever the user may not read them.
// Owned by the SimRing; one thread; as many bytes as it is made with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace ringroom::sim {

class SimBuffers {
 public:
  /// `incremental`: receives share a buffer one behind the other; else each takes a whole one.
  SimBuffers(std::uint16_t count, std::size_t buffer_bytes, bool incremental);
  ~SimBuffers();
  SimBuffers(const SimBuffers&) = delete;
  SimBuffers& operator=(const SimBuffers&) = delete;

  bool empty() const { return ring_.empty(); }
  /// Room for the next receive. Not empty().
  std::size_t room() const;
  struct Piece {
    std::uint16_t buffer;
    std::byte* data;
  };
  /// Copies received bytes in; their one user is the completion. At most room() bytes.
  Piece fill(std::span<const std::byte> bytes);
  /// The completion was reaped: its bytes may be read and written.
  void uncover(std::byte* data, std::size_t size);

  /// False, and nothing done, for a buffer without a user: the caller's mistake.
  [[nodiscard]] bool hold(std::uint16_t buffer);
  [[nodiscard]] bool release(std::uint16_t buffer);

  /// Users of all buffers together.
  std::size_t users() const;
  /// How often a buffer came back whole.
  std::uint64_t returned_total() const { return returned_total_; }

 private:
  struct Buffer {
    std::uint32_t users = 0;
    std::size_t filled = 0;   // bytes of it that receives took
    std::size_t covered = 0;  // of those: released again, and unreadable
    bool in_ring = true;
  };
  std::byte* at(std::uint16_t buffer, std::size_t offset);
  void give_back(std::uint16_t buffer);

  std::size_t buffer_bytes_;
  bool incremental_;
  std::unique_ptr<std::byte[]> bytes_;
  std::vector<Buffer> buffers_;
  std::deque<std::uint16_t> ring_;
  std::uint64_t returned_total_ = 0;
};

}  // namespace ringroom::sim
