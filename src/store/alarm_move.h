// What a start does with the alarm indexes if there was another number of shards, or a class got
// another name: their rooms have other homes now. Blocks; before there are shards.
#pragma once

#include "store/checkpoint.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringroom::store {

/// A room's shard, of so many.
using HomeOf = unsigned (*)(std::string_view class_name, std::string_view room, unsigned shards);

/// The old names of classes, and the new ones.
using Renamed = std::vector<std::pair<std::string_view, std::string_view>>;

/// Which indexes are read from end to end, 0.6 s for a million rooms: all of them when the last run
/// didn't end as it should, else those that a query of it failed in.
enum class Check : std::uint8_t { all, doubted };

/// Puts the alarms of such rooms into the indexes of this run, and removes them from the others. A
/// crash in between leaves both, and the next start does it again. Returns what prevents it.
Trouble move_alarms(const std::string& folder,
                    unsigned shards,
                    HomeOf home_of,
                    const Renamed& renamed = {},
                    Check check = Check::all);

}  // namespace ringroom::store
