// Names: which file a room's database is, and which room a file is. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ringroom::store {

/// The file below rooms/: `ChatRoom/3f2/lobby.db`. No two rooms have the same one, whatever their
/// names are: letters, digits, '-' and '_' stand for themselves, other bytes are written as %XX,
/// and names that get too long for a file as '=' and their SHA-256. 4,096 folders for each class,
/// so that a million rooms are 244 files in each.
std::string database_name(std::string_view class_name, std::string_view room);

/// The folder below rooms/ that has the rooms of a class.
std::string class_folder(std::string_view class_name);

/// What a database_name() was made of. Without the room if its name was too long for a file.
struct RoomName {
  std::string class_name;
  std::optional<std::string> room;
};
/// Nothing if it is no database_name().
std::optional<RoomName> parse_database_name(std::string_view name);
/// The index of one shard's alarms: `alarms/3-of-8.db`, below the data folder itself.
std::string alarms_name(unsigned shard, unsigned shards);

}  // namespace ringroom::store
