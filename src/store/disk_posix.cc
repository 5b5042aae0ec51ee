// The machine's disk.
#include "store/disk.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ringroom::store {

namespace {

constexpr mode_t file_mode = 0644;

int open_flags(Access access) {
  switch (access) {
    case Access::read: return O_RDONLY | O_CLOEXEC;
    case Access::write: return O_RDWR | O_CREAT | O_CLOEXEC;
    case Access::direct: return O_RDWR | O_CREAT | O_CLOEXEC | O_DIRECT;
  }
  return O_RDONLY;
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int File::open(const std::string& path, Access access) {
  int opened = ::open(path.c_str(), open_flags(access), file_mode);
  if (opened < 0 && errno == ENOENT && access != Access::read) {
    const int failed = make_folders(std::filesystem::path(path).parent_path().string());
    if (failed != 0) return failed;
    opened = ::open(path.c_str(), open_flags(access), file_mode);
  }
  // Some file systems, tmpfs until Linux 6.6 among them, have no direct access.
  if (opened < 0 && errno == EINVAL && access == Access::direct) return open(path, Access::write);
  if (opened < 0) return errno;
  *this = File();
  descriptor_ = opened;
  return 0;
}

std::int64_t File::read(std::span<std::byte> to, std::uint64_t offset) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t got =
        ::pread(descriptor_, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<std::int64_t>(done);
}

int File::write(std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    if (put == 0) return EIO;
    offset += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return 0;
}

int File::sync() {
  return ::fdatasync(descriptor_) == 0 ? 0 : errno;
}

int File::resize(std::uint64_t bytes) {
  return ::ftruncate(descriptor_, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
}

std::uint64_t File::size() const {
  struct stat status {};
  return ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::vector<std::string> list_files(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.is_regular_file(failed)) paths.push_back(entry.path().string());
  }
  return paths;
}

std::vector<std::string> list_folders(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    if (entry.is_directory(failed)) names.push_back(entry.path().filename().string());
  }
  return names;
}

int make_folders(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  return failed.value();
}

int remove_file(const std::string& path) {
  return ::unlink(path.c_str()) == 0 ? 0 : errno;
}

int sync_all(const std::string& folder) {
  const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return errno;
  const int result = ::syncfs(opened) == 0 ? 0 : errno;
  ::close(opened);
  return result;
}

}  // namespace ringroom::store
