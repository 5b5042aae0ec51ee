#include "reactor/recv_buffers.h"

#include "base/assert.h"
#include "base/poison.h"

#include <cerrno>

#include <sys/mman.h>

namespace ringroom::reactor {

namespace {

void* map(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

RecvBuffers::~RecvBuffers() {
  unmap();
}

void RecvBuffers::unmap() {
  if (memory_ != nullptr) {
    base::unpoison(memory_, memory_bytes_);
    munmap(memory_, memory_bytes_);
  }
  if (ring_ != nullptr) munmap(ring_, ring_bytes_);
  memory_ = nullptr;
  ring_ = nullptr;
}

int RecvBuffers::set_up(io_uring* ring,
                        bool incremental,
                        std::size_t bytes,
                        std::size_t bytes_each) {
  unmap();
  incremental_ = incremental;
  bytes_each_ = bytes_each;
  const auto count = static_cast<unsigned>(bytes / bytes_each);
  ring_bytes_ = 4096 + count * sizeof(io_uring_buf);
  ring_ = static_cast<io_uring_buf_ring*>(map(ring_bytes_));
  memory_ = static_cast<std::byte*>(map(bytes));
  memory_bytes_ = bytes;
  if (ring_ == nullptr || memory_ == nullptr) return -ENOMEM;

  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(ring_);
  registration.ring_entries = count;
  registration.bgid = group;
  // The field is called `pad` in liburing 2.3 and `flags` later; it lies behind bgid in both.
  const std::uint16_t flags = incremental ? uapi::buffer_ring_incremental : 0;
  __builtin_memcpy(reinterpret_cast<std::byte*>(&registration.bgid) + sizeof(registration.bgid),
                   &flags, sizeof(flags));
  const int result = io_uring_register_buf_ring(ring, &registration, 0);
  if (result < 0) return result;
  io_uring_buf_ring_init(ring_);
  states_.assign(count, State{});
  with_kernel_ = 0;
  for (unsigned i = 0; i < count; ++i) give_back(static_cast<std::uint16_t>(i));
  return 0;
}

std::byte* RecvBuffers::take(std::uint32_t completion_flags, std::size_t bytes) {
  const auto buffer = static_cast<std::uint16_t>(completion_flags >> IORING_CQE_BUFFER_SHIFT);
  ASSERT(buffer < states_.size());
  State& state = states_[buffer];
  ASSERT(state.kernel_owns && state.offset + bytes <= bytes_each_);
  std::byte* data = begin_of(buffer) + state.offset;
  state.offset += static_cast<std::uint32_t>(bytes);
  ++state.holds;
  if (!incremental_ || (completion_flags & uapi::completion_buffer_more) == 0) {
    state.kernel_owns = false;
    --with_kernel_;
  }
  base::unpoison(data, bytes);
  return data;
}

bool RecvBuffers::release(std::uint16_t buffer) {
  State& state = states_[buffer];
  ASSERT(state.holds > 0);
  if (--state.holds > 0) return false;
  base::poison(begin_of(buffer), bytes_each_);
  if (state.kernel_owns) return false;
  give_back(buffer);
  return true;
}

void RecvBuffers::give_back(std::uint16_t buffer) {
  states_[buffer] = {.offset = 0, .holds = 0, .kernel_owns = true};
  ++with_kernel_;
  base::poison(begin_of(buffer), bytes_each_);
  io_uring_buf_ring_add(ring_, begin_of(buffer), static_cast<unsigned>(bytes_each_), buffer,
                        io_uring_buf_ring_mask(static_cast<std::uint32_t>(states_.size())), 0);
  io_uring_buf_ring_advance(ring_, 1);
}

}  // namespace ringroom::reactor
