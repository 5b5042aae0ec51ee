// What the allocator keeps of memory that nobody uses any more. Any thread; each for its own.
#pragma once

namespace ringroom::base {

/// Hands unused memory back to the machine: mimalloc's, if the program is linked with it, else that
/// of the C library. Costs up to a millisecond.
void give_back_unused_memory();

}  // namespace ringroom::base
