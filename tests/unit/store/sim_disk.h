// SimDisk: a disk that loses power. What was written since the last sync may be there afterwards,
// or not, sector by sector in any order; names come and go in order. The other body of
// store/disk.h. Used by a test's thread and the helper's.
#pragma once

#include "base/random.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ringroom::store {

class SimDisk {
 public:
  static constexpr std::size_t sector_bytes = 512;

  SimDisk();
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  /// Where File and the others work.
  static SimDisk& current();
  void make_current();

  /// What another start would find if the power failed now.
  std::unique_ptr<SimDisk> lose_power(base::Random& random);
  /// The operation after so many more fails with `error`, and each after it up to `times`.
  void fail_after(std::uint64_t operations, int error, unsigned times);
  /// Files whose path ends so can't be opened for writing; empty: all can.
  void refuse(const std::string& ending);
  /// Whether the kernel remembers where files are.
  enum class Memory : std::uint8_t { often_not, never, always };
  void set_memory(Memory memory) { memory_ = memory; }
  /// Files that are open.
  std::size_t files_open() const;
  /// Writes and syncs since the beginning.
  std::uint64_t operations() const;

  // ---- For store/disk.h

  int open(const std::string& path, bool create);  // a descriptor, or -errno
  bool remembers();
  void close(int descriptor);
  std::int64_t read(int descriptor, std::span<std::byte> to, std::uint64_t offset);
  int write(int descriptor, std::span<const std::byte> bytes, std::uint64_t offset);
  int sync(int descriptor);
  int resize(int descriptor, std::uint64_t bytes);
  std::uint64_t size(int descriptor);
  int remove(const std::string& path);
  int sync_all();
  std::vector<std::string> list(const std::string& folder);

 private:
  // What happened to a file since its last sync.
  struct Change {
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
    std::optional<std::uint64_t> size;  // of a resize
  };
  struct Inode {
    std::vector<std::byte> now;
    std::vector<std::byte> durable;
    std::vector<Change> changes;
  };
  struct NameChange {
    std::string path;
    std::shared_ptr<Inode> inode;  // null: removed
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  static void apply(std::vector<std::byte>& content, const Change& change, base::Random* random);
  int next_failure();

  mutable std::mutex mutex_;
  Names names_;
  Names durable_names_;
  std::vector<NameChange> name_changes_;
  std::map<int, std::shared_ptr<Inode>> open_;
  int next_descriptor_ = 3;
  std::uint64_t operations_ = 0;
  Memory memory_ = Memory::often_not;
  unsigned remembered_ = 0;
  std::uint64_t fail_at_ = UINT64_MAX;
  unsigned fail_times_ = 0;
  std::string refused_;
  int fail_error_ = 0;
};

}  // namespace ringroom::store
