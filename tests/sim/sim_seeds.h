// SimSeeds: which seeds a test plays, and how to repeat the one that fails, also if it ends in an
// assertion or a sanitizer. Functions of a test's one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ringroom::sim {

/// From now on whatever ends the process says how to repeat this seed with the test `program`.
void begin_seed(const char* program, std::uint64_t seed);
/// The same for the report of a failure.
const char* how_to_repeat();
/// Of the environment: RINGROOM_SIM_SEED=n, the only one that is wanted.
std::optional<std::uint64_t> wanted_seed();
/// RINGROOM_SIM_SEEDS=n, so many new ones.
std::uint64_t new_seeds(std::uint64_t otherwise);

}  // namespace ringroom::sim
