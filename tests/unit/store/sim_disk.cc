#include "sim_disk.h"

#include "store/disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

namespace ringroom::store {

namespace {
SimDisk* the_current = nullptr;
}

SimDisk::SimDisk() = default;
SimDisk::~SimDisk() {
  if (the_current == this) the_current = nullptr;
}

SimDisk& SimDisk::current() {
  return *the_current;
}
void SimDisk::make_current() {
  the_current = this;
}

// With chance: each sector of it has come so far, or hasn't.
void SimDisk::apply(std::vector<std::byte>& content, const Change& change, base::Random* random) {
  if (change.size) {
    if (random == nullptr || random->next() % 2 == 0) content.resize(*change.size);
    return;
  }
  for (std::size_t at = 0; at < change.bytes.size();) {
    const std::size_t within = (change.offset + at) % sector_bytes;
    const std::size_t bytes = std::min(sector_bytes - within, change.bytes.size() - at);
    if (random == nullptr || random->next() % 2 == 0) {
      const std::size_t end = change.offset + at + bytes;
      if (content.size() < end) content.resize(end);
      std::memcpy(content.data() + change.offset + at, change.bytes.data() + at, bytes);
    }
    at += bytes;
  }
}

std::unique_ptr<SimDisk> SimDisk::lose_power(base::Random& random) {
  const std::lock_guard lock(mutex_);
  auto after = std::make_unique<SimDisk>();
  Names names = durable_names_;
  const std::size_t kept = random.next() % (name_changes_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) {
    const NameChange& change = name_changes_[i];
    if (change.inode == nullptr) {
      names.erase(change.path);
    } else {
      names[change.path] = change.inode;
    }
  }
  for (const auto& [path, inode] : names) {
    auto copy = std::make_shared<Inode>();
    copy->durable = inode->durable;
    for (const Change& change : inode->changes) apply(copy->durable, change, &random);
    copy->now = copy->durable;
    after->names_[path] = after->durable_names_[path] = copy;
  }
  return after;
}

void SimDisk::fail_after(std::uint64_t operations, int error, unsigned times) {
  const std::lock_guard lock(mutex_);
  fail_at_ = operations_ + operations;
  fail_error_ = error;
  fail_times_ = times;
}

void SimDisk::refuse(const std::string& ending) {
  const std::lock_guard lock(mutex_);
  refused_ = ending;
}

std::uint64_t SimDisk::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

int SimDisk::next_failure() {
  if (operations_++ < fail_at_ || fail_times_ == 0) return 0;
  --fail_times_;
  return fail_error_;
}

int SimDisk::open(const std::string& path, bool create) {
  const std::lock_guard lock(mutex_);
  if (create && !refused_.empty() && path.ends_with(refused_)) return -EACCES;
  std::shared_ptr<Inode>& inode = names_[path];
  if (inode == nullptr) {
    if (!create) {
      names_.erase(path);
      return -ENOENT;
    }
    inode = std::make_shared<Inode>();
    name_changes_.push_back({path, inode});
  }
  open_[next_descriptor_] = inode;
  return next_descriptor_++;
}

void SimDisk::close(int descriptor) {
  const std::lock_guard lock(mutex_);
  open_.erase(descriptor);
}

std::int64_t SimDisk::read(int descriptor, std::span<std::byte> to, std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  const std::vector<std::byte>& now = open_.at(descriptor)->now;
  if (offset >= now.size()) return 0;
  const std::size_t bytes = std::min<std::size_t>(to.size(), now.size() - offset);
  std::memcpy(to.data(), now.data() + offset, bytes);
  return static_cast<std::int64_t>(bytes);
}

// One that fails has come so far in part.
int SimDisk::write(int descriptor, std::span<const std::byte> bytes, std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  const int failure = next_failure();
  if (failure != 0) bytes = bytes.first(bytes.size() / 2);
  Inode& inode = *open_.at(descriptor);
  Change change{.offset = offset, .bytes = {bytes.begin(), bytes.end()}, .size = {}};
  apply(inode.now, change, nullptr);
  inode.changes.push_back(std::move(change));
  return failure;
}

int SimDisk::sync(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (const int failure = next_failure()) return failure;
  Inode& inode = *open_.at(descriptor);
  for (const Change& change : inode.changes) apply(inode.durable, change, nullptr);
  inode.changes.clear();
  return 0;
}

int SimDisk::resize(int descriptor, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  Inode& inode = *open_.at(descriptor);
  if (inode.now.size() == bytes) return 0;
  inode.now.resize(bytes);
  inode.changes.push_back({.offset = 0, .bytes = {}, .size = bytes});
  return 0;
}

std::uint64_t SimDisk::size(int descriptor) {
  const std::lock_guard lock(mutex_);
  return open_.at(descriptor)->now.size();
}

int SimDisk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (names_.erase(path) == 0) return ENOENT;
  name_changes_.push_back({path, nullptr});
  return 0;
}

int SimDisk::sync_all() {
  const std::lock_guard lock(mutex_);
  if (const int failure = next_failure()) return failure;
  for (const auto& [path, inode] : names_) {
    for (const Change& change : inode->changes) apply(inode->durable, change, nullptr);
    inode->changes.clear();
  }
  durable_names_ = names_;
  name_changes_.clear();
  return 0;
}

std::vector<std::string> SimDisk::list(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> paths;
  for (const auto& [path, inode] : names_) {
    if (path.starts_with(folder + "/")) paths.push_back(path);
  }
  return paths;
}

bool SimDisk::remembers() {
  const std::lock_guard lock(mutex_);
  return memory_ == Memory::always || (memory_ == Memory::often_not && ++remembered_ % 3 == 0);
}

std::size_t SimDisk::files_open() const {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

// ---- store/disk.h

File::~File() {
  if (descriptor_ >= 0) SimDisk::current().close(descriptor_);
}

int File::open(const std::string& path, Access access) {
  const int opened = SimDisk::current().open(path, access != Access::read);
  if (opened < 0) return -opened;
  *this = File();
  descriptor_ = opened;
  return 0;
}

int File::open_at_once(const std::string& path) {
  return SimDisk::current().remembers() ? open(path, Access::read) : EAGAIN;
}

std::int64_t File::read(std::span<std::byte> to, std::uint64_t offset) const {
  return SimDisk::current().read(descriptor_, to, offset);
}
int File::write(std::span<const std::byte> bytes, std::uint64_t offset) {
  return SimDisk::current().write(descriptor_, bytes, offset);
}
int File::sync() {
  return SimDisk::current().sync(descriptor_);
}
int File::resize(std::uint64_t bytes) {
  return SimDisk::current().resize(descriptor_, bytes);
}
std::uint64_t File::size() const {
  return SimDisk::current().size(descriptor_);
}

std::vector<std::string> list_files(const std::string& folder) {
  return SimDisk::current().list(folder);
}
std::vector<std::string> list_folders(const std::string& folder) {
  std::set<std::string> names;
  for (const std::string& path : SimDisk::current().list(folder)) {
    const std::string below = path.substr(folder.size() + 1);
    if (below.find('/') != std::string::npos) names.insert(below.substr(0, below.find('/')));
  }
  return {names.begin(), names.end()};
}
int make_folders(const std::string&) {
  return 0;
}
int remove_file(const std::string& path) {
  return SimDisk::current().remove(path);
}
int sync_all(const std::string&) {
  return SimDisk::current().sync_all();
}

}  // namespace ringroom::store
