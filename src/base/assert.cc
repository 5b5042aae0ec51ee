#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace ringroom::base {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "ringroom: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace ringroom::base
