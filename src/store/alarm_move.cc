#include "store/alarm_move.h"

#include "base/log.h"
#include "store/alarm_index.h"
#include "store/alarm_walk.h"
#include "store/names.h"
#include "store/sqlite_file.h"

#include <filesystem>
#include <optional>
#include <vector>

namespace ringroom::store {

namespace {

Trouble trouble_of(const std::string& path, sqlite3* connection) {
  return "cannot move the alarms of " + path + ": " + sqlite3_errmsg(connection);
}

void bind_text(sqlite3_stmt* statement, int index, std::string_view text) {
  const char* bytes = text.empty() ? "" : text.data();
  sqlite3_bind_text64(statement, index, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

bool is_index(const std::string& path) {
  const SqliteFile connection = open_sqlite(path);
  return prepare_sqlite(connection.get(), "SELECT time FROM _cf_alarm") != nullptr;
}

bool is_whole(const std::string& path) {
  const SqliteFile connection = open_sqlite(path);
  const Statement check = prepare_sqlite(connection.get(), "PRAGMA quick_check(1)");
  return check != nullptr && sqlite3_step(check.get()) == SQLITE_ROW &&
         text_of_sqlite(check.get(), 0) == "ok";
}

// The index of one shard of this run, as long as alarms come in.
struct Target {
  std::string path;
  SqliteFile connection;
  Statement insert;

  bool begin() {
    connection = open_sqlite(path);
    constexpr const char* start =
        "PRAGMA synchronous = FULL; BEGIN; CREATE TABLE IF NOT EXISTS _cf_alarm (class TEXT, room "
        "TEXT, time INTEGER NOT NULL, PRIMARY KEY (class, room)) WITHOUT ROWID; "
        "CREATE INDEX IF NOT EXISTS _cf_alarm_time ON _cf_alarm (time, class, room)";
    if (sqlite3_exec(connection.get(), start, nullptr, nullptr, nullptr) != SQLITE_OK) return false;
    insert = prepare_sqlite(connection.get(),
                            "INSERT INTO _cf_alarm VALUES (?, ?, ?) ON CONFLICT (class, room) "
                            "DO UPDATE SET time = min(time, excluded.time)");
    return insert != nullptr;
  }
  bool add(const Alarm& alarm) {
    if (connection == nullptr && !begin()) return false;
    bind_text(insert.get(), 1, alarm.class_name);
    bind_text(insert.get(), 2, alarm.room);
    sqlite3_bind_int64(insert.get(), 3, alarm.time_ms);
    const bool done = sqlite3_step(insert.get()) == SQLITE_DONE;
    sqlite3_reset(insert.get());
    return done;
  }
  bool end() {
    insert.reset();
    return connection == nullptr ||
           sqlite3_exec(connection.get(), "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK;
  }
};

// What has to go elsewhere, of one file: all of it, or of a class that got another name.
struct Source {
  std::string path;
  std::string_view only = {};
};

class Move {
 public:
  Move(const std::string& folder,
       unsigned shards,
       HomeOf home_of,
       const Renamed& renamed,
       Check check)
      : folder_(folder), home_of_(home_of), renamed_(renamed), check_(check) {
    for (unsigned i = 0; i < shards; ++i) {
      targets_.push_back({database_path(folder, alarms_name(i, shards)), nullptr, nullptr});
    }
  }

  Trouble run() {
    if (Trouble failed = find_sources(); !failed.empty()) return failed;
    for (const Source& source : sources_) {
      if (Trouble failed = take(source); !failed.empty()) return failed;
    }
    if (!damaged_.empty()) {
      if (Trouble failed = take_from_rooms(); !failed.empty()) return failed;
    }
    for (Target& target : targets_) {
      if (!target.end()) return trouble_of(target.path, target.connection.get());
      target.connection.reset();
    }
    return remove_sources();
  }

 private:
  Trouble find_sources() {
    const std::string ending = "-of-" + std::to_string(targets_.size()) + ".db";
    for (const std::string& path : list_files(folder_ + "/alarms")) {
      if (!path.ends_with(".db")) continue;
      const bool is_of_this_run = path.ends_with(ending);
      const std::string doubt = path + AlarmIndex::doubted;
      std::error_code none;
      const bool is_doubted = std::filesystem::exists(doubt, none);
      if (is_doubted) doubts_.push_back(doubt);
      if (!is_index(path) || ((is_doubted || check_ == Check::all) && !is_whole(path))) {
        if (Trouble failed = set_aside(path, is_of_this_run); !failed.empty()) return failed;
      } else if (!is_of_this_run) {
        sources_.push_back({path});
      } else {
        for (const auto& [old, name] : renamed_) sources_.push_back({path, old});
      }
    }
    return {};
  }

  // Until a new one stands, under a name that makes the next start do it again.
  Trouble set_aside(const std::string& path, bool is_of_this_run) {
    base::log_error("alarms: " + path + " is damaged; it is made anew from all rooms");
    damaged_.push_back(is_of_this_run ? path + ".damaged.db" : path);
    if (!is_of_this_run) return {};
    std::error_code failed;
    std::filesystem::rename(path, damaged_.back(), failed);
    return failed ? trouble("cannot rename", path, failed.value()) : Trouble{};
  }

  Trouble take_from_rooms() {
    Trouble failed;
    const Trouble unreadable = walk_over_rooms(folder_, [&](const Alarm& alarm) {
      failed = add(alarm);
      return failed.empty();
    });
    return failed.empty() ? unreadable : failed;
  }

  Trouble add(const Alarm& alarm) {
    Target& target =
        targets_[home_of_(alarm.class_name, alarm.room, static_cast<unsigned>(targets_.size()))];
    return target.add(alarm) ? Trouble{} : trouble_of(target.path, target.connection.get());
  }

  Trouble take(const Source& source) {
    const auto alarms = read(source);
    if (!alarms) return trouble_of(source.path, open_sqlite(source.path).get());
    for (const Alarm& alarm : *alarms) {
      if (Trouble failed = add(alarm); !failed.empty()) return failed;
    }
    return {};
  }

  std::optional<std::vector<Alarm>> read(const Source& source) const {
    const SqliteFile connection = open_sqlite(source.path);
    const Statement rows = prepare_sqlite(connection.get(),
                                          "SELECT class, room, time FROM _cf_alarm "
                                          "WHERE ?1 = '' OR class = ?1");
    if (rows == nullptr) return std::nullopt;
    bind_text(rows.get(), 1, source.only);
    std::vector<Alarm> alarms;
    int result = sqlite3_step(rows.get());
    for (; result == SQLITE_ROW; result = sqlite3_step(rows.get())) {
      std::string class_name(text_of_sqlite(rows.get(), 0));
      for (const auto& [old, name] : renamed_) {
        if (class_name == old) class_name = name;
      }
      alarms.push_back({sqlite3_column_int64(rows.get(), 2), std::move(class_name),
                        std::string(text_of_sqlite(rows.get(), 1))});
    }
    return result == SQLITE_DONE ? std::optional(std::move(alarms)) : std::nullopt;
  }

  // When everything stands in its new place.
  Trouble remove_sources() {
    std::vector<std::string> files = damaged_;
    files.insert(files.end(), doubts_.begin(), doubts_.end());
    for (const Source& source : sources_) {
      if (source.only.empty()) {
        files.push_back(source.path);
        continue;
      }
      const SqliteFile connection = open_sqlite(source.path);
      const Statement erase =
          prepare_sqlite(connection.get(), "DELETE FROM _cf_alarm WHERE class = ?");
      if (erase == nullptr) return trouble_of(source.path, connection.get());
      bind_text(erase.get(), 1, source.only);
      if (sqlite3_step(erase.get()) != SQLITE_DONE) {
        return trouble_of(source.path, connection.get());
      }
    }
    if (files.empty()) return {};
    if (const int error = sync_all(folder_)) return trouble("cannot sync", folder_, error);
    return remove_in_order(files, folder_);
  }

  const std::string& folder_;
  HomeOf home_of_;
  const Renamed& renamed_;
  const Check check_;
  std::vector<Target> targets_;
  std::vector<Source> sources_;
  std::vector<std::string> damaged_;
  std::vector<std::string> doubts_;
};

}  // namespace

Trouble move_alarms(const std::string& folder,
                    unsigned shards,
                    HomeOf home_of,
                    const Renamed& renamed,
                    Check check) {
  return Move(folder, shards, home_of, renamed, check).run();
}

}  // namespace ringroom::store
