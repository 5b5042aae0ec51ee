#include "store/leftover.h"

#include "base/log.h"
#include "store/log_format.h"

#include <cstring>

namespace ringroom::store {

Newest Leftover::Kept::newest() const {
  Newest borrowed;
  borrowed.pages_total = pages_total;
  for (const auto& [number, page] : pages) {
    NewestParts& parts = borrowed.pages[number];
    for (std::size_t part = 0; part < parts_of_page; ++part) {
      if ((page.parts >> part & 1U) != 0) parts[part] = page.bytes.data() + part * part_bytes;
    }
  }
  return borrowed;
}

void Leftover::keep(std::string_view name, const Newest& newest, const Trouble& why) {
  auto found = kept_.find(name);
  if (found == kept_.end()) {
    found = kept_.try_emplace(std::string(name)).first;
    found->second.why = why;
    base::log_error("storage: " + why +
                    "; until it can be written, which is tried each second, its room has this "
                    "error, and the log keeps what was written");
  }
  Kept& kept = found->second;
  for (const auto& [number, parts] : newest.pages) {
    Page& page = kept.pages[number];
    for (std::size_t part = 0; part < parts_of_page; ++part) {
      if (parts[part] == nullptr) continue;
      std::memcpy(page.bytes.data() + part * part_bytes, parts[part], part_bytes);
      page.parts = static_cast<Parts>(page.parts | 1U << part);
    }
  }
  kept.pages_total = newest.pages_total;
  std::erase_if(kept.pages, [&](const auto& page) { return page.first > kept.pages_total; });
  has_changed_ = true;
}

void Leftover::try_again() {
  const auto written = std::erase_if(kept_, [this](const auto& each) {
    const auto& [name, kept] = each;
    const std::string path = database_path(folder_, name);
    if (write_database(path, kept.newest()) != 0) return false;
    base::log_info("storage: " + path + " can be written again");
    return true;
  });
  has_changed_ |= written > 0;
}

Trouble Leftover::store(std::uint64_t generation) {
  std::string path;
  if (!kept_.empty()) {
    // No start takes the name of an earlier run's, whose generations are older.
    path = log_folder(folder_) + "/left-" + std::to_string(generation) + "-" +
           std::to_string(++files_) + ".log";
    if (const int failed = write(path, generation)) {
      remove_file(path);
      return trouble("cannot write", path, failed);
    }
  }
  if (!path_.empty()) replaced_.push_back(path_);
  path_ = std::move(path);
  generation_ = generation;
  has_changed_ = false;
  return {};
}

int Leftover::write(const std::string& path, std::uint64_t generation) const {
  BlockBuffer batch;
  for (const auto& [name, kept] : kept_) {
    std::vector<PageChange> pages;
    for (const auto& [number, page] : kept.pages) {
      pages.push_back({.number = number, .parts = page.parts, .page = page.bytes.data()});
    }
    append_commit(batch, name, kept.pages_total, pages);
  }
  seal_batch(batch, block_bytes, generation, 0);
  BlockBuffer header;
  header.extend(block_bytes);
  write_segment_header(header.bytes(), generation);
  File file;
  int failed = file.open(path, Access::write);
  if (failed == 0) failed = file.write(batch.bytes(), block_bytes);
  if (failed == 0) failed = file.write(header.bytes(), 0);
  return failed;
}

std::shared_ptr<const Behind> Leftover::behind() const {
  if (kept_.empty()) return nullptr;
  Behind all;
  for (const auto& [name, kept] : kept_) all.emplace(name, kept.why);
  return std::make_shared<const Behind>(std::move(all));
}

}  // namespace ringroom::store
