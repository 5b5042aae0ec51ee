#include "connection/blob_store.h"

#include "base/assert.h"

#include <bit>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ringroom::connection {

namespace {
// Each cell starts with the number of bytes asked for.
using Head = std::uint16_t;
constexpr std::size_t head_bytes = sizeof(Head);
constexpr std::size_t fine_step = 4;
constexpr std::size_t fine_bytes_max = 128;
constexpr std::size_t small_step = 16;
constexpr std::size_t small_bytes_max = 512;
}  // namespace

BlobStore::BlobStore() {
  constexpr std::size_t space = chunk_bytes * chunks_max;
  file_ = memfd_create("ringroom-blobs", MFD_CLOEXEC);
  ASSERT(file_ >= 0 && ftruncate(file_, space) == 0);
  void* mapped = mmap(nullptr, space, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file_, 0);
  ASSERT(mapped != MAP_FAILED);
  memory_ = static_cast<std::byte*>(mapped);
  for (std::uint32_t& chunk : with_room_) chunk = no_cell;
}

BlobStore::~BlobStore() {
  munmap(memory_, chunk_bytes * chunks_max);
  close(file_);
}

std::size_t BlobStore::class_of(std::size_t bytes) {
  const std::size_t needed = bytes + head_bytes;
  if (needed <= fine_bytes_max) return (needed - 1) / fine_step;
  if (needed <= small_bytes_max) return fine_classes + (needed - fine_bytes_max - 1) / small_step;
  return small_classes + static_cast<std::size_t>(std::bit_width((needed - 1) / 1024));
}

std::size_t BlobStore::cell_bytes(std::size_t size_class) {
  if (size_class < fine_classes) return (size_class + 1) * fine_step;
  if (size_class < small_classes) {
    return fine_bytes_max + (size_class - fine_classes + 1) * small_step;
  }
  return std::size_t{1024} << (size_class - small_classes);
}

BlobStore::Handle BlobStore::allocate(std::size_t bytes) {
  ASSERT(bytes <= bytes_max);
  const std::size_t size_class = class_of(bytes);
  std::uint32_t chunk_index = with_room_[size_class];
  if (chunk_index == no_cell) {
    chunk_index = new_chunk(size_class);
    if (chunk_index == no_cell) return none;
  }
  Chunk& chunk = chunks_[chunk_index];
  Handle handle = chunk.free_cell;
  if (handle != no_cell) {
    std::memcpy(&chunk.free_cell, at(handle), sizeof(chunk.free_cell));
  } else {
    const std::size_t offset = chunk_index * chunk_bytes + chunk.fresh * cell_bytes(size_class);
    handle = static_cast<Handle>(offset / unit);
    ++chunk.fresh;
  }
  ++chunk.used;
  const bool full = chunk.free_cell == no_cell &&
                    (chunk.fresh + std::size_t{1}) * cell_bytes(size_class) > chunk_bytes;
  if (full) unlink(chunk_index);
  const auto size = static_cast<Head>(bytes);
  std::memcpy(at(handle), &size, sizeof(size));
  return handle;
}

void BlobStore::free(Handle handle) {
  const auto chunk_index = static_cast<std::uint32_t>(std::size_t{handle} * unit / chunk_bytes);
  Chunk& chunk = chunks_[chunk_index];
  ASSERT(chunk.used > 0);
  const bool was_full = chunk.free_cell == no_cell &&
                        (chunk.fresh + std::size_t{1}) * cell_bytes(chunk.size_class) > chunk_bytes;
  std::memcpy(at(handle), &chunk.free_cell, sizeof(chunk.free_cell));
  chunk.free_cell = handle;
  if (was_full) link(chunk_index);
  if (--chunk.used > 0) return;
  unlink(chunk_index);
  empty_chunks_.push_back(chunk_index);
  --chunks_in_use_;
  fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
            static_cast<off_t>(chunk_index * chunk_bytes), chunk_bytes);
}

std::span<std::byte> BlobStore::bytes(Handle handle) {
  Head size = 0;
  std::memcpy(&size, at(handle), sizeof(size));
  return {at(handle) + head_bytes, size};
}

std::uint32_t BlobStore::new_chunk(std::size_t size_class) {
  std::uint32_t index = no_cell;
  if (!empty_chunks_.empty()) {
    index = empty_chunks_.back();
    empty_chunks_.pop_back();
  } else if (chunks_.size() < chunks_max) {
    index = static_cast<std::uint32_t>(chunks_.size());
    chunks_.emplace_back();
  } else {
    return no_cell;
  }
  chunks_[index] = Chunk{};
  chunks_[index].size_class = static_cast<std::uint8_t>(size_class);
  link(index);
  ++chunks_in_use_;
  return index;
}

void BlobStore::link(std::uint32_t index) {
  Chunk& chunk = chunks_[index];
  std::uint32_t& first = with_room_[chunk.size_class];
  chunk.next = first;
  chunk.previous = no_cell;
  if (first != no_cell) chunks_[first].previous = index;
  first = index;
}

void BlobStore::unlink(std::uint32_t index) {
  Chunk& chunk = chunks_[index];
  if (chunk.previous != no_cell) {
    chunks_[chunk.previous].next = chunk.next;
  } else {
    with_room_[chunk.size_class] = chunk.next;
  }
  if (chunk.next != no_cell) chunks_[chunk.next].previous = chunk.previous;
}

}  // namespace ringroom::connection
