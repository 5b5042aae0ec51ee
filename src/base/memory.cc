#include "base/memory.h"

#include <malloc.h>

// mimalloc(3); absent from programs that bring another allocator.
extern "C" __attribute__((weak)) void mi_collect(bool force);

namespace ringroom::base {

void give_back_unused_memory() {
  if (mi_collect != nullptr) {
    mi_collect(true);
  } else {
    malloc_trim(0);
  }
}

}  // namespace ringroom::base
