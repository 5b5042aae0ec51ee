#include "base/memory.h"

#include <cstddef>
#include <new>

#include <malloc.h>

// mimalloc(3); absent from programs that bring another allocator.
extern "C" {
__attribute__((weak)) void mi_collect(bool force);
__attribute__((weak)) long mi_option_get(int option);
__attribute__((weak)) void mi_option_set(int option, long value);
}

namespace ringroom::base {

namespace {

// mi_option_decommit_delay, called mi_option_purge_delay since 2.1: how long freed memory is kept.
constexpr int option_delay = 15;
constexpr std::size_t large_block_bytes = std::size_t{1} << 20U;

void collect_all() {
  const long delay = mi_option_get(option_delay);
  mi_option_set(option_delay, 0);
  mi_collect(true);
  // What was freed before, and is kept, goes when a block as large as this is freed.
  ::operator delete(::operator new(large_block_bytes, std::nothrow));
  mi_option_set(option_delay, delay);
}

}  // namespace

void give_back_unused_memory() {
  if (mi_collect != nullptr && mi_option_set != nullptr) {
    collect_all();
  } else {
    malloc_trim(0);
  }
}

}  // namespace ringroom::base
