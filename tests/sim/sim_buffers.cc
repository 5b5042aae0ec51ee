#include "sim_buffers.h"

#include "base/assert.h"
#include "base/poison.h"

#include <algorithm>
#include <cstring>

namespace ringroom::sim {

namespace {

constexpr std::byte released_byte{0xdd};

}  // namespace

SimBuffers::SimBuffers(std::uint16_t count, std::size_t buffer_bytes, bool incremental)
    : buffer_bytes_(buffer_bytes),
      incremental_(incremental),
      bytes_(std::make_unique_for_overwrite<std::byte[]>(count * buffer_bytes)),
      buffers_(count) {
  for (std::uint16_t i = 0; i < count; ++i) ring_.push_back(i);
  base::poison(bytes_.get(), count * buffer_bytes);
}

SimBuffers::~SimBuffers() {
  base::unpoison(bytes_.get(), buffers_.size() * buffer_bytes_);
}

std::byte* SimBuffers::at(std::uint16_t buffer, std::size_t offset) {
  return bytes_.get() + buffer * buffer_bytes_ + offset;
}

std::size_t SimBuffers::room() const {
  return buffer_bytes_ - buffers_[ring_.front()].filled;
}

SimBuffers::Piece SimBuffers::fill(std::span<const std::byte> bytes) {
  ASSERT(!ring_.empty() && !bytes.empty() && bytes.size() <= room());
  const std::uint16_t index = ring_.front();
  Buffer& buffer = buffers_[index];
  std::byte* data = at(index, buffer.filled);
  base::unpoison(data, bytes.size());
  std::memcpy(data, bytes.data(), bytes.size());
  base::poison(data, bytes.size());
  buffer.filled = incremental_ ? buffer.filled + bytes.size() : buffer_bytes_;
  ++buffer.users;
  if (buffer.filled == buffer_bytes_) {
    buffer.in_ring = false;
    ring_.pop_front();
  }
  return {index, data};
}

void SimBuffers::uncover(std::byte* data, std::size_t size) {
  base::unpoison(data, size);
}

bool SimBuffers::hold(std::uint16_t buffer) {
  if (buffer >= buffers_.size() || buffers_[buffer].users == 0) return false;
  ++buffers_[buffer].users;
  return true;
}

bool SimBuffers::release(std::uint16_t buffer) {
  if (buffer >= buffers_.size() || buffers_[buffer].users == 0) return false;
  if (--buffers_[buffer].users == 0) give_back(buffer);
  return true;
}

// An incremental buffer that isn't full yet stays where it is: only what was used of it goes.
void SimBuffers::give_back(std::uint16_t index) {
  Buffer& buffer = buffers_[index];
  std::byte* used = at(index, buffer.covered);
  const std::size_t size = buffer.filled - buffer.covered;
  base::unpoison(used, size);
  std::memset(used, static_cast<int>(released_byte), size);
  base::poison(used, size);
  buffer.covered = buffer.filled;
  if (buffer.in_ring) return;
  buffer = Buffer{};
  ring_.push_back(index);
  ++returned_total_;
}

std::size_t SimBuffers::users() const {
  std::size_t users = 0;
  for (const Buffer& buffer : buffers_) users += buffer.users;
  return users;
}

}  // namespace ringroom::sim
