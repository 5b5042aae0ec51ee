// Slab: the records of a shard in a memfd mapping, indexed by direct descriptor. Address space is
// reserved for all, memory comes with use in chunks of 64 KiB and goes when a chunk is empty. The
// records of a chunk draw their generations from one counter that outlives its memory, so none
// comes twice for an index within 2^24 connections of the chunk. One per shard.
#pragma once

#include "connection/record.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringroom::connection {

class Slab {
 public:
  explicit Slab(std::uint32_t records_max);
  ~Slab();
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  std::uint32_t records_max() const { return records_max_; }
  std::uint32_t live() const { return live_; }
  /// One above the highest index in use since it was last empty; a bound for walks.
  std::uint32_t end() const { return end_; }

  Record& operator[](std::uint32_t index) { return records_[index]; }
  const Record& operator[](std::uint32_t index) const { return records_[index]; }
  /// The record of a handle; null if it is stale.
  Record* find(std::uint32_t index, std::uint32_t generation) {
    if (index >= records_max_) return nullptr;
    Record& record = records_[index];
    return record.generation == generation && record.stage != Stage::free ? &record : nullptr;
  }

  /// Takes the record of a new connection: a new generation, everything else as in Record{}.
  Record& open(std::uint32_t index, Stage stage);
  void free(std::uint32_t index);

 private:
  static constexpr std::uint32_t chunk_records = 1024;

  std::uint32_t records_max_;
  Record* records_ = nullptr;
  int memory_ = -1;
  std::uint32_t live_ = 0;
  std::uint32_t end_ = 0;
  struct Chunk {
    std::uint32_t live = 0;
    std::uint32_t last_generation = 0;  // that one of its records got
  };
  std::vector<Chunk> chunks_;
};

}  // namespace ringroom::connection
