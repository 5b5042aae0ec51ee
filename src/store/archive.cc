#include "store/archive.h"

#include "store/database.h"
#include "store/names.h"
#include "store/pages.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include <sys/stat.h>

namespace ringroom::store {

namespace fs = std::filesystem;

namespace {

// A person waits for the answer, who can end it.
constexpr std::chrono::hours query_time_max{24};

std::int64_t changed_ms(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000;
}

Trouble check_folder(const std::string& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) == 0) {
    return S_ISDIR(status.st_mode) ? Trouble{} : trouble("cannot read", folder, ENOTDIR);
  }
  if (errno != ENOENT) return trouble("cannot read", folder, errno);
  return "there is no folder " + folder + ": name the server's data folder with --data";
}

// What the log has of a page comes over the file's. A file that can't be read says so by itself.
void put_over(Pages& pages, const Newest& newest) {
  std::array<std::byte, page_bytes> page;
  for (const auto& [number, parts] : newest.pages) {
    if (number > newest.pages_total) continue;
    int failed = 0;
    pages.read(page, std::uint64_t{number - 1} * page_bytes, failed);
    if (failed != 0) continue;
    for (std::size_t part = 0; part < parts_of_page; ++part) {
      if (parts[part] != nullptr)
        std::memcpy(page.data() + part * part_bytes, parts[part], part_bytes);
    }
    pages.write(number, page);
  }
  pages.resize(newest.pages_total);
  pages.keep();
}

}  // namespace

Trouble Archive::open_to_list(const std::string& folder) {
  folder_ = folder;
  Trouble failed = check_folder(folder);
  return failed.empty() ? read_logs() : failed;
}

Trouble Archive::open_to_read(const std::string& folder) {
  Trouble failed = check_folder(folder);
  if (failed.empty()) failed = lock_.take_to_read(folder);
  return failed.empty() ? open_to_list(folder) : failed;
}

// A segment that a running server removes meanwhile stands in the files.
Trouble Archive::read_logs() {
  std::multimap<std::uint64_t, std::string> segments;
  if (Trouble failed = find_segments(folder_, segments); !failed.empty()) return failed;
  for (const auto& [generation, path] : segments) {
    File file;
    const int error = file.open(path, Access::read);
    if (error == ENOENT) continue;
    if (error != 0) return trouble("cannot read", path, error);
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) {
      logs_changed_ms_ = std::max(logs_changed_ms_, changed_ms(status));
    }
    BlockBuffer& whole = *logs_.emplace_back(std::make_unique<BlockBuffer>());
    if (Trouble failed = read_whole(file, whole); !failed.empty()) return failed;
    add_commits(whole.bytes(), newest_);
  }
  return {};
}

std::vector<std::string> Archive::classes() const {
  std::set<std::string> names;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder_ + "/rooms", failed)) {
    const auto name = parse_database_name(entry.path().filename().string() + "/000/x.db");
    if (name) names.insert(name->class_name);
  }
  for (const auto& [database, newest] : newest_) {
    if (const auto name = parse_database_name(database)) names.insert(name->class_name);
  }
  return {names.begin(), names.end()};
}

Trouble Archive::find_files(const std::string& class_name, FoundRooms& found) const {
  const std::string folder = class_folder(class_name);
  const fs::path top = folder_ + "/rooms/" + folder;
  std::error_code failed;
  for (const auto& inner : fs::directory_iterator(top, failed)) {
    for (const auto& file : fs::directory_iterator(inner.path(), failed)) {
      struct stat status {};
      if (::stat(file.path().c_str(), &status) != 0) continue;  // gone meanwhile
      const std::string name =
          folder + "/" + inner.path().filename().string() + "/" + file.path().filename().string();
      found[name] = {static_cast<std::uint64_t>(status.st_size), changed_ms(status)};
    }
    if (failed) return trouble("cannot read", inner.path().string(), failed.value());
  }
  if (failed && failed.value() != ENOENT) return trouble("cannot read", top, failed.value());
  return {};
}

Trouble Archive::rooms(const std::string& class_name, std::vector<StoredRoom>& found) {
  FoundRooms all;
  if (Trouble failed = find_files(class_name, all); !failed.empty()) return failed;
  const std::string prefix = class_folder(class_name) + "/";
  for (const auto& [name, newest] : newest_) {
    if (!name.starts_with(prefix)) continue;
    all[std::string(name)] = {std::uint64_t{newest.pages_total} * page_bytes, logs_changed_ms_};
  }
  const std::size_t first = found.size();
  for (const auto& [name, room] : all) {
    const auto parsed = parse_database_name(name);
    if (!parsed || room.bytes == 0) continue;  // no room of ours, or destroyed
    found.push_back({class_name, parsed->room ? *parsed->room : room_inside(name), room.bytes,
                     room.changed_ms});
  }
  std::sort(found.begin() + static_cast<std::ptrdiff_t>(first), found.end(),
            [](const StoredRoom& a, const StoredRoom& b) { return a.room < b.room; });
  return {};
}

// The name of a room whose file only has its hash.
std::string Archive::room_inside(const std::string& name) {
  try {
    const auto rows = read_database(name, "SELECT value FROM _cf_room WHERE key = 'name'");
    if (rows && !rows->empty()) return rows->front()[0].text();
  } catch (const SqlError&) {
    // A damaged one is listed by its file.
  }
  return name.substr(name.rfind('/') + 1);
}

std::optional<SqlRows> Archive::read(std::string_view class_name,
                                     std::string_view room,
                                     std::string_view query) {
  return read_database(database_name(class_name, room), query);
}

std::optional<SqlRows> Archive::read_database(const std::string& name, std::string_view query) {
  Pages pages(name, database_path(folder_, name));
  pages.locate();
  if (const auto newest = newest_.find(name); newest != newest_.end()) {
    put_over(pages, newest->second);
  }
  if (pages.total() == 0 && pages.trouble() == 0) return std::nullopt;
  NoTurn turn;
  DatabaseLimits limits;
  limits.query_time_max = query_time_max;
  Database database(vfs_, pages, turn, {.class_name = "rooms", .room = name}, limits);
  return database.run_own(query);
}

}  // namespace ringroom::store
