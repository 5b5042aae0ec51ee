// Disk: the few things that the store asks of a file system. One header, two bodies chosen at link
// time: disk_posix.cc is the machine's, the simulator's (tests/sim/disk) loses what wasn't synced.
// Each File belongs to one thread at a time. Results are 0 or an errno, unless said otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ringroom::store {

enum class Access : std::uint8_t {
  read,    // of what is there
  write,   // created if it isn't there, with its folders
  direct,  // the same past the page cache, where the file system can; for whole blocks
};

class File {
 public:
  File() = default;
  /// Takes over what somebody else has opened.
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();

  int open(const std::string& path, Access access);
  /// For reading, if the kernel has the file's name at hand: EAGAIN if it would ask the disk
  /// (openat2(2), RESOLVE_CACHED).
  int open_at_once(const std::string& path);
  bool is_open() const { return descriptor_ >= 0; }
  /// For the ring.
  int descriptor() const { return descriptor_; }

  /// Bytes read, fewer than asked for only at the end of the file; negative: -errno.
  std::int64_t read(std::span<std::byte> to, std::uint64_t offset) const;
  int write(std::span<const std::byte> bytes, std::uint64_t offset);
  /// Returns when the file's bytes are on the medium.
  int sync();
  int resize(std::uint64_t bytes);
  std::uint64_t size() const;

 private:
  int descriptor_ = -1;
};

/// Paths of the plain files in a folder; none if there is no such folder.
std::vector<std::string> list_files(const std::string& folder);
/// The names of the folders in a folder.
std::vector<std::string> list_folders(const std::string& folder);
int make_folders(const std::string& path);
int remove_file(const std::string& path);
/// Returns when everything written to the file system of `folder` is on the medium, names too.
int sync_all(const std::string& folder);

}  // namespace ringroom::store
