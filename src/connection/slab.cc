#include "connection/slab.h"

#include "base/assert.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ringroom::connection {

namespace {
constexpr std::uint32_t generation_mask = 0xffffff;
}

Slab::Slab(std::uint32_t records_max)
    : records_max_(records_max), chunks_((records_max + chunk_records - 1) / chunk_records) {
  const std::size_t bytes = chunks_.size() * chunk_records * sizeof(Record);
  memory_ = memfd_create("ringroom-slab", MFD_CLOEXEC);
  ASSERT(memory_ >= 0 && ftruncate(memory_, static_cast<off_t>(bytes)) == 0);
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_, 0);
  ASSERT(mapped != MAP_FAILED);
  records_ = static_cast<Record*>(mapped);
}

Slab::~Slab() {
  munmap(records_, chunks_.size() * chunk_records * sizeof(Record));
  close(memory_);
}

Record& Slab::open(std::uint32_t index, Stage stage) {
  ASSERT(index < records_max_);
  Record& record = records_[index];
  ASSERT(record.stage == Stage::free);
  Chunk& chunk = chunks_[index / chunk_records];
  ++chunk.live;
  ++live_;
  end_ = std::max(end_, index + 1);
  chunk.last_generation = (chunk.last_generation + 1) & generation_mask;
  record = Record{};
  record.generation = chunk.last_generation;
  record.stage = stage;
  return record;
}

void Slab::free(std::uint32_t index) {
  Record& record = records_[index];
  ASSERT(record.stage != Stage::free);
  record.stage = Stage::free;
  Chunk& chunk = chunks_[index / chunk_records];
  --chunk.live;
  if (--live_ == 0) {
    end_ = 0;  // the memory of the last chunk stays for the next connection
    return;
  }
  if (chunk.live > 0) return;
  // An all-zero record is a free one, so the memory can go.
  fallocate(memory_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
            static_cast<off_t>(index / chunk_records * chunk_records * sizeof(Record)),
            static_cast<off_t>(chunk_records * sizeof(Record)));
}

}  // namespace ringroom::connection
