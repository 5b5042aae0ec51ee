#include "store/checkpoint.h"

#include "store/leftover.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ringroom::store {

namespace {
// And not the index of a shard.
bool is_of_room(std::string_view name) {
  return std::count(name.begin(), name.end(), '/') == 2;
}

// Of the log, in one call: the kernel gives the core to nobody while it prepares a direct read.
constexpr std::size_t read_bytes = std::size_t{128} << 10U;

// Of a disk that is full or broken all files can't be written.
bool is_of_one_file(int error) {
  return error == EACCES || error == EPERM || error == EISDIR || error == ENOTDIR ||
         error == ELOOP || error == EFBIG;
}
}  // namespace

Trouble read_whole(const File& file, BlockBuffer& whole) {
  whole.clear();
  whole.extend(file.size() / block_bytes * block_bytes);
  for (std::size_t at = 0; at < whole.size(); at += read_bytes) {
    const std::size_t bytes = std::min(read_bytes, whole.size() - at);
    const std::int64_t got = file.read(whole.bytes().subspan(at, bytes), at);
    if (got < 0) return trouble("cannot read the log", "", static_cast<int>(-got));
  }
  return {};
}

void add_commits(std::span<const std::byte> segment, NewestPages& all) {
  SegmentReader reader(segment);
  while (const auto commit = reader.next()) {
    Newest& newest = all[commit->database];
    newest.pages_total = commit->pages_total;
    const std::byte* from = commit->bytes.data();
    for (std::size_t i = 0; i < commit->numbers.size(); ++i) {
      const Parts changed = commit->parts.empty() ? whole_page : commit->parts[i];
      NewestParts& page = newest.pages[commit->numbers[i]];
      for (std::size_t part = 0; part < parts_of_page; ++part) {
        if ((changed >> part & 1U) == 0) continue;
        page[part] = from;
        from += part_bytes;
      }
    }
  }
}

namespace {

// Parts that lie behind each other in one write.
int write_page(File& file, std::uint64_t offset, const NewestParts& parts) {
  std::array<std::byte, page_bytes> run;
  std::size_t bytes = 0;
  for (std::size_t part = 0; part <= parts_of_page; ++part) {
    if (part < parts_of_page && parts[part] != nullptr) {
      std::memcpy(run.data() + bytes, parts[part], part_bytes);
      bytes += part_bytes;
    } else if (bytes > 0) {
      const std::uint64_t start = offset + part * part_bytes - bytes;
      if (const int failed = file.write(std::span(run).first(bytes), start)) return failed;
      bytes = 0;
    }
  }
  return 0;
}

}  // namespace

int write_database(const std::string& path, const Newest& newest) {
  if (newest.pages_total == 0) {  // the room was destroyed
    const int failed = remove_file(path);
    return failed == ENOENT ? 0 : failed;
  }
  File file;
  int failed = file.open(path, Access::write);
  for (const auto& [number, parts] : newest.pages) {
    if (failed != 0) break;
    if (number > newest.pages_total) continue;
    failed = write_page(file, std::uint64_t{number - 1} * page_bytes, parts);
  }
  const std::uint64_t bytes = std::uint64_t{newest.pages_total} * page_bytes;
  if (failed == 0 && file.size() != bytes) failed = file.resize(bytes);
  return failed;
}

Trouble trouble(const std::string& what, const std::string& path, int error) {
  const std::string advice = error == ENOSPC   ? " (the disk is full: free some space)"
                             : error == EACCES ? " (check the owner and mode of the data folder)"
                             : error == EROFS  ? " (its file system is mounted read-only)"
                             : error == EPERM  ? " (it may be immutable: see chattr(1))"
                             : error == EISDIR ? " (a folder is in its place: move that away)"
                                               : "";
  return what + (path.empty() ? "" : " " + path) + ": " + std::strerror(error) + advice;
}

std::string log_folder(const std::string& folder) {
  return folder + "/log";
}

std::string database_path(const std::string& folder, std::string_view name) {
  return folder + (is_of_room(name) ? "/rooms/" : "/") + std::string(name);
}

Trouble write_back(const File& segment,
                   const std::string& folder,
                   BlockBuffer& whole,
                   Leftover* leftover) {
  Trouble failed = read_whole(segment, whole);
  if (!failed.empty()) return failed;
  NewestPages commits;
  add_commits(whole.bytes(), commits);
  for (const auto& [name, newest] : commits) {
    if (leftover != nullptr && leftover->holds(name)) {
      leftover->keep(name, newest, {});
      continue;
    }
    const std::string path = database_path(folder, name);
    const int error = write_database(path, newest);
    if (error == 0) continue;
    Trouble why = trouble("cannot write", path, error);
    // Without its index a shard doesn't find what is due.
    const bool is_index = !is_of_room(name);
    if (leftover == nullptr || !is_of_one_file(error) || is_index) return why;
    leftover->keep(name, newest, why);
  }
  return {};
}

Trouble remove_in_order(const std::vector<std::string>& oldest_first, const std::string& folder) {
  for (const std::string& path : oldest_first) {
    const int failed = remove_file(path);
    if (failed != 0 && failed != ENOENT) return trouble("cannot remove", path, failed);
    if (const int error = sync_all(folder)) return trouble("cannot sync", folder, error);
  }
  return {};
}

Trouble find_segments(const std::string& folder, std::multimap<std::uint64_t, std::string>& found) {
  BlockBuffer header;
  header.extend(block_bytes);
  for (const std::string& path : list_files(log_folder(folder))) {
    File file;
    if (const int error = file.open(path, Access::read)) return trouble("cannot read", path, error);
    if (file.read(header.bytes(), 0) < 0) return trouble("cannot read", path, EIO);
    found.emplace(segment_generation(header.bytes()).value_or(0), path);
  }
  return {};
}

bool has_segments(const std::string& folder) {
  return !list_files(log_folder(folder)).empty();
}

Trouble recover(const std::string& folder, Leftover* leftover) {
  std::multimap<std::uint64_t, std::string> segments;
  if (Trouble failed = find_segments(folder, segments); !failed.empty()) return failed;
  if (segments.empty()) return {};
  std::vector<std::string> oldest_first;
  BlockBuffer whole;
  for (const auto& [generation, path] : segments) {
    oldest_first.push_back(path);
    File file;
    if (const int error = file.open(path, Access::read)) return trouble("cannot read", path, error);
    if (Trouble failed = write_back(file, folder, whole, leftover); !failed.empty()) return failed;
  }
  if (leftover != nullptr && leftover->has_changed()) {
    // Behind all that were found, one of which may be its file of the last run.
    const std::uint64_t generation = segments.rbegin()->first + 1;
    if (Trouble failed = leftover->store(generation); !failed.empty()) return failed;
  }
  if (const int error = sync_all(folder)) return trouble("cannot sync", folder, error);
  return remove_in_order(oldest_first, folder);
}

}  // namespace ringroom::store
