// BlobStore: the variable parts of connections (URI and tags, state, attachment) in a memfd mapping
// beside the slab, named by handles, in size classes of 4 bytes up to 128, of 16 up to 512 and then
// of powers of two up to 32 KiB. Chunks of 64 KiB belong to one class and are given back when
// empty. No pointer in the mapping. One per shard; 4 GiB of address space at the most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ringroom::connection {

class BlobStore {
 public:
  using Handle = std::uint32_t;
  static constexpr Handle none = UINT32_MAX;
  static constexpr std::size_t bytes_max = 32 * 1024 - 2;

  BlobStore();
  ~BlobStore();
  BlobStore(const BlobStore&) = delete;
  BlobStore& operator=(const BlobStore&) = delete;

  /// Room for so many bytes, at most bytes_max. `none` if all 4 GiB are in use.
  Handle allocate(std::size_t bytes);
  void free(Handle handle);
  /// The bytes as they were asked for. Good until free().
  std::span<std::byte> bytes(Handle handle);
  std::size_t chunks_in_use() const { return chunks_in_use_; }

 private:
  static constexpr std::size_t unit = 4;
  static constexpr std::size_t chunk_bytes = 64 * 1024;
  static constexpr std::size_t chunks_max = 64 * 1024;
  static constexpr std::size_t fine_classes = 32;                  // 4 … 128
  static constexpr std::size_t small_classes = fine_classes + 24;  // 144 … 512
  static constexpr std::size_t classes = small_classes + 6;        // 1, 2, 4, 8, 16, 32 KiB
  static constexpr std::uint32_t no_cell = UINT32_MAX;

  struct Chunk {
    std::uint8_t size_class = 0;
    std::uint16_t used = 0;
    std::uint16_t fresh = 0;            // cells never used so far
    std::uint32_t free_cell = no_cell;  // the first of those given back, linked in their bytes
    std::uint32_t next = no_cell;       // of its class with room
    std::uint32_t previous = no_cell;
  };

  static std::size_t class_of(std::size_t bytes);
  static std::size_t cell_bytes(std::size_t size_class);
  std::uint32_t new_chunk(std::size_t size_class);
  void link(std::uint32_t chunk);
  void unlink(std::uint32_t chunk);
  std::byte* at(Handle handle) { return memory_ + std::size_t{handle} * unit; }

  int file_ = -1;
  std::byte* memory_ = nullptr;
  std::vector<Chunk> chunks_;
  std::vector<std::uint32_t> empty_chunks_;
  std::uint32_t with_room_[classes];
  std::size_t chunks_in_use_ = 0;
};

}  // namespace ringroom::connection
