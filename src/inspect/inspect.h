// ringroom rooms and ringroom sql: what is on disk, for people and for scripts. The process's own
// thread. A list of rooms takes memory for each room that it tells.
#pragma once

#include "ringroom/plugin.h"

namespace ringroom::inspect {

/// Runs `ringroom rooms`; argv[0] is its name. `own`: the classes that this executable serves.
/// Returns the exit code: 0, or 1 for what was said on standard error.
int rooms(int argc, char** argv, const detail::Plugin& own);

/// The same of `ringroom sql`.
int sql(int argc, char** argv);

}  // namespace ringroom::inspect
