// What rooms have planned, from their own files, for an index of it that is damaged: one walk over
// all rooms. Blocks; before there are shards, when the logs are empty.
#pragma once

#include "store/alarm_index.h"
#include "store/checkpoint.h"

#include <functional>
#include <string>

namespace ringroom::store {

/// Tells the earliest time of each room that has one. `found` returns false to end the walk. Says
/// in the log how far it is, and which files can't be read: what their rooms have planned is done
/// when they can be, and somebody plans something in them.
Trouble walk_over_rooms(const std::string& folder, const std::function<bool(const Alarm&)>& found);

}  // namespace ringroom::store
