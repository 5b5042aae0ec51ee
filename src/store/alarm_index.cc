#include "store/alarm_index.h"

#include <utility>

namespace ringroom::store {

AlarmIndex::AlarmIndex(Store& store, std::string name) : store_(store), name_(std::move(name)) {
  reopen();
}

void AlarmIndex::reopen() {
  has_table_ = false;
  database_.emplace(store_, name_);
}

SqlRows AlarmIndex::run(std::string_view query, std::span<const SqlValue> values) {
  try {
    return database_->database().run_own(query, values);
  } catch (const SqlError&) {
    if (!std::exchange(is_doubted_, true)) store_.put_beside(name_, doubted);
    throw;
  }
}

// A shard whose rooms never had an alarm has no file.
bool AlarmIndex::has_table() {
  if (!has_table_) {
    Database* database = database_->existing();
    has_table_ = database != nullptr && database->has_table("_cf_alarm");
  }
  return has_table_;
}

void AlarmIndex::cover(Identity room, std::int64_t time_ms) {
  if (!has_table()) {
    run("CREATE TABLE _cf_alarm (class TEXT, room TEXT, time INTEGER NOT NULL, "
        "PRIMARY KEY (class, room)) WITHOUT ROWID",
        {});
    run("CREATE INDEX _cf_alarm_time ON _cf_alarm (time, class, room)", {});
    has_table_ = true;
  }
  const SqlValue key[] = {room.class_name, room.room};
  const SqlRows found = run("SELECT time FROM _cf_alarm WHERE class = ? AND room = ?", key);
  if (!found.empty() && found.front()[0].integer() <= time_ms) return;
  const SqlValue values[] = {room.class_name, room.room, time_ms};
  run("INSERT OR REPLACE INTO _cf_alarm VALUES (?, ?, ?)", values);
}

void AlarmIndex::settle(Identity room, std::optional<std::int64_t> time_ms) {
  if (!has_table()) return;
  if (time_ms) {
    const SqlValue values[] = {room.class_name, room.room, *time_ms};
    run("INSERT OR REPLACE INTO _cf_alarm VALUES (?, ?, ?)", values);
  } else {
    const SqlValue key[] = {room.class_name, room.room};
    run("DELETE FROM _cf_alarm WHERE class = ? AND room = ?", key);
  }
}

std::vector<Alarm> AlarmIndex::after(const Alarm& last, std::size_t count_max) {
  std::vector<Alarm> alarms;
  if (!has_table()) return alarms;
  const SqlValue values[] = {last.time_ms, last.class_name, last.room, count_max};
  const SqlRows rows =
      run("SELECT time, class, room FROM _cf_alarm WHERE (time, class, room) > (?, ?, ?) "
          "ORDER BY time, class, room LIMIT ?",
          values);
  for (const SqlRows::Row row : rows) {
    alarms.push_back({row[0].integer(), row[1].text(), row[2].text()});
  }
  return alarms;
}

}  // namespace ringroom::store
