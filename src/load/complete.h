// complete: what of a plan fits together, and what follows from other values of it. A pure function
// of the plan; the main thread.
#pragma once

#include "load/plan.h"

#include <string>

namespace ringroom::load {

/// What the user gave, where a value alone doesn't tell.
struct Given {
  bool has_rooms = false;
  bool has_share = false;  ///< so many connections, in as many rooms as they fill
};

/// Of a plan with its target, or of one part of a mix. Returns what is wrong, "" if nothing.
std::string complete(Plan& plan, const Given& given);

}  // namespace ringroom::load
