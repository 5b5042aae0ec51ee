#include "store/alarm_walk.h"

#include "base/log.h"
#include "store/names.h"
#include "store/sqlite_file.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

namespace ringroom::store {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds tell_every{5};

class Walk {
 public:
  Walk(const std::string& folder, const std::function<bool(const Alarm&)>& found)
      : rooms_(fs::path(folder) / "rooms"), found_(found) {}

  Trouble run() {
    std::error_code failed;
    auto file = fs::recursive_directory_iterator(rooms_, failed);
    if (failed == std::errc::no_such_file_or_directory) return {};
    for (; !failed && file != fs::recursive_directory_iterator(); file.increment(failed)) {
      if (!file->is_regular_file(failed) || file->path().extension() != ".db") continue;
      if (!look_at(file->path())) return {};
    }
    if (failed) return trouble("cannot read", rooms_, failed.value());
    base::log_info("alarms: " + std::to_string(looked_at_) + " rooms were read, " +
                   std::to_string(planned_) + " have something planned");
    return {};
  }

 private:
  bool look_at(const fs::path& path) {
    ++looked_at_;
    if (const auto now = Clock::now(); now > tell_at_) {
      tell_at_ = now + tell_every;
      base::log_info("alarms: " + std::to_string(looked_at_) + " rooms read so far");
    }
    const auto name = parse_database_name(fs::relative(path, rooms_).string());
    if (!name) return true;
    const auto connection = open_sqlite(path);
    // A room that never planned anything has no table.
    const Statement earliest =
        prepare_sqlite(connection.get(), "SELECT min(time) FROM cf_agents_jobs");
    if (earliest == nullptr && sqlite3_errcode(connection.get()) == SQLITE_ERROR) return true;
    if (earliest == nullptr || sqlite3_step(earliest.get()) != SQLITE_ROW) {
      base::log_error("alarms: cannot read " + path.string() + ": " +
                      sqlite3_errmsg(connection.get()));
      return true;
    }
    if (sqlite3_column_type(earliest.get(), 0) == SQLITE_NULL) return true;
    ++planned_;
    return found_({sqlite3_column_int64(earliest.get(), 0), name->class_name,
                   name->room ? *name->room : room_inside(connection.get())});
  }

  // Of a file that has the name's hash.
  static std::string room_inside(sqlite3* connection) {
    const Statement name =
        prepare_sqlite(connection, "SELECT value FROM _cf_room WHERE key = 'name'");
    const bool is_there = name != nullptr && sqlite3_step(name.get()) == SQLITE_ROW;
    return is_there ? std::string(text_of_sqlite(name.get(), 0)) : std::string();
  }

  const fs::path rooms_;
  const std::function<bool(const Alarm&)>& found_;
  Clock::time_point tell_at_ = Clock::now() + tell_every;
  std::size_t looked_at_ = 0;
  std::size_t planned_ = 0;
};

}  // namespace

Trouble walk_over_rooms(const std::string& folder, const std::function<bool(const Alarm&)>& found) {
  return Walk(folder, found).run();
}

}  // namespace ringroom::store
