// AlarmIndex: which rooms of one shard have to be looked at, and when, in a database of the shard's
// own. What a room has to do then is in the room's database; this only finds those that are due
// without opening the others. A time here may be too early, never too late: it is committed before
// what the room writes in the same turn. On its shard's thread. One row for each room with alarms.
#pragma once

#include "store/store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ringroom::store {

struct Alarm {
  std::int64_t time_ms = INT64_MIN;  // since 1970
  std::string class_name;
  std::string room;
};

class AlarmIndex {
 public:
  /// A file of this ending beside an index says that a query of it has failed, so that the next
  /// start looks whether it is damaged.
  static constexpr const char* doubted = ".doubted";

  /// `name`: of the database, from alarms_name().
  AlarmIndex(Store& store, std::string name);

  // Each throws SqlError.

  /// The room is found at that time, or before. To be called before the room's own write.
  void cover(Identity room, std::int64_t time_ms);
  /// It is found at that time, and not before; nothing: not any more. To be called when what the
  /// room wrote is committed.
  void settle(Identity room, std::optional<std::int64_t> time_ms);
  /// The alarms behind `last`, in the order of their times.
  std::vector<Alarm> after(const Alarm& last, std::size_t count_max);

  /// To be called when the disk has failed: what is there is read again.
  void reopen();

 private:
  SqlRows run(std::string_view query, std::span<const SqlValue> values);
  bool has_table();

  Store& store_;
  std::string name_;
  std::optional<RoomStore> database_;
  bool has_table_ = false;
  bool is_doubted_ = false;
};

}  // namespace ringroom::store
