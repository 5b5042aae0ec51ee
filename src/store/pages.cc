#include "store/pages.h"

#include "base/assert.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ringroom::store {

namespace {

Parts parts_that_differ(const std::byte* a, const std::byte* b) {
  unsigned parts = 0;
  for (std::size_t i = 0; i < parts_of_page; ++i) {
    if (std::memcmp(a + i * part_bytes, b + i * part_bytes, part_bytes) != 0) parts |= 1U << i;
  }
  return static_cast<Parts>(parts);
}

}  // namespace

Pages::Pages(std::string name, std::string path) : name_(std::move(name)), path_(std::move(path)) {
  if (path_.empty()) place_ = Place::nowhere;
}

bool Pages::locate_at_once() {
  if (is_located()) return true;
  File file;
  const int failed = file.open_at_once(path_);
  if (failed == EAGAIN) return false;
  located(std::move(file), failed);
  return true;
}

void Pages::locate() {
  if (locate_at_once()) return;
  File file;
  const int failed = file.open(path_, Access::read);
  located(std::move(file), failed);
}

void Pages::located(File file, int failed) {
  if (is_located()) return;
  place_ = failed == 0 ? Place::open : Place::nowhere;
  if (failed != 0 && failed != ENOENT) trouble_ = failed;
  file_ = std::move(file);
  if (std::exchange(is_sized_, true)) return;
  const std::uint64_t bytes = failed == 0 ? file_.size() : 0;
  total_ = static_cast<std::uint32_t>(bytes / page_bytes);
  if (bytes > 0 && total_ == 0) trouble_ = EUCLEAN;  // not taken for a room that is new
  committed_total_ = total_;
}

bool Pages::expect_file() {
  if (place_ != Place::nowhere) return false;
  place_ = Place::unknown;
  return true;
}

void Pages::close_file() {
  file_ = File();
  if (place_ == Place::open) place_ = Place::unknown;
}

void Pages::reset() {
  overlay_.clear();
  dirty_.clear();
  file_ = File();
  place_ = Place::unknown;
  is_sized_ = false;
  trouble_ = 0;
  newest_batch_ = 0;
}

// The file that is open is another one than a checkpoint will make under its name.
void Pages::clear() {
  resize(0);
  file_ = File();
  place_ = Place::nowhere;
}

bool Pages::read(std::span<std::byte> to, std::uint64_t offset, int& failed) {
  const auto number = static_cast<std::uint32_t>(offset / page_bytes + 1);
  const std::size_t within = offset % page_bytes;
  ASSERT(within + to.size() <= page_bytes);
  failed = trouble_;
  if (number > total_) {
    std::memset(to.data(), 0, to.size());
    return false;
  }
  if (const auto found = overlay_.find(number); found != overlay_.end()) {
    std::memcpy(to.data(), found->second.bytes.get() + within, to.size());
    return true;
  }
  ASSERT(is_located());
  const std::int64_t got = file_.is_open() ? file_.read(to, offset) : 0;
  if (got < 0) failed = static_cast<int>(-got);
  const std::size_t bytes = got < 0 ? 0 : static_cast<std::size_t>(got);
  std::memset(to.data() + bytes, 0, to.size() - bytes);
  return bytes == to.size();
}

void Pages::write(std::uint32_t number, std::span<const std::byte> image) {
  ASSERT(image.size() == page_bytes);
  Image& kept = overlay_[number];
  Parts changed = whole_page;
  if (kept.bytes == nullptr) {
    kept.bytes = std::make_unique_for_overwrite<std::byte[]>(page_bytes);
  } else {
    changed = parts_that_differ(kept.bytes.get(), image.data());
  }
  if (changed == 0) return;
  kept.written |= changed;
  if (kept.batch != not_committed) dirty_.push_back(number);
  kept.batch = not_committed;
  std::memcpy(kept.bytes.get(), image.data(), page_bytes);
  total_ = std::max(total_, number);
}

void Pages::resize(std::uint32_t pages) {
  total_ = pages;
  std::erase_if(dirty_, [pages](std::uint32_t number) { return number > pages; });
  std::erase_if(overlay_, [pages](const auto& image) { return image.first > pages; });
}

void Pages::take(BlockBuffer& batch, std::uint64_t batch_number) {
  std::vector<PageChange> changes;
  changes.reserve(dirty_.size());
  for (const std::uint32_t number : dirty_) {
    Image& image = overlay_.at(number);
    image.batch = batch_number;
    changes.push_back({number, std::exchange(image.written, Parts{}), image.bytes.get()});
  }
  append_commit(batch, name_, total_, changes);
  newest_batch_ = batch_number;
  dirty_.clear();
  committed_total_ = total_;
}

void Pages::keep() {
  for (const std::uint32_t number : dirty_) {
    Image& image = overlay_.at(number);
    image.batch = 0;
    image.written = 0;
  }
  dirty_.clear();
  committed_total_ = total_;
}

bool Pages::has_of(std::uint64_t batch) const {
  if (newest_batch_ != 0 && newest_batch_ <= batch) return true;
  return std::any_of(overlay_.begin(), overlay_.end(),
                     [batch](const auto& image) { return image.second.batch <= batch; });
}

void Pages::forget(std::uint64_t batch) {
  std::erase_if(overlay_, [batch](const auto& image) {
    return image.second.batch <= batch;  // not_committed is later than all
  });
  if (newest_batch_ <= batch) newest_batch_ = 0;
}

}  // namespace ringroom::store
