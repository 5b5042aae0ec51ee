// compare: two results of --json beside each other, as ratios, with what of a difference may be
// noise. Pure functions over JSON.
#pragma once

#include <ringroom/json.h>

#include <string>

namespace ringroom::load {

/// A table, ratio is second to first. Noise is the spread of a figure over the intervals of both
/// runs: a ratio nearer to 1 than that is marked as none.
std::string compare(const json& first, const json& second);

}  // namespace ringroom::load
