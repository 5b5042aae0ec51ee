// Poison: bytes that must not be touched now. Under AddressSanitizer a touch is reported; in other
// builds nothing happens. Any thread.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define RINGROOM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RINGROOM_ASAN 1
#endif
#endif

#ifdef RINGROOM_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace ringroom::base {

inline void poison([[maybe_unused]] void* at, [[maybe_unused]] std::size_t bytes) {
#ifdef RINGROOM_ASAN
  __asan_poison_memory_region(at, bytes);
#endif
}

inline void unpoison([[maybe_unused]] void* at, [[maybe_unused]] std::size_t bytes) {
#ifdef RINGROOM_ASAN
  __asan_unpoison_memory_region(at, bytes);
#endif
}

}  // namespace ringroom::base
