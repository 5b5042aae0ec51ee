// Pages: one database as its pages. What was written since the last checkpoint is kept here, over
// the file; SQLite reads and writes through it, and a commit is what was written since the last
// one. On its shard's thread, owned by the Store, for as long as somebody has the database open or
// pages wait for a checkpoint. Bounded by the log's segments; in memory (--data :memory:) by
// database_bytes_max.
#pragma once

#include "store/disk.h"
#include "store/log_format.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ringroom::store {

class Pages {
 public:
  /// `path`: of the file, or empty: there is none, all is in memory. Before anything else asks for
  /// the rest, the file must be located.
  Pages(std::string name, std::string path);

  /// The file in the data folder, and in the log.
  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }

  /// The file is open, or it is known that there is none: it comes with the first checkpoint.
  bool is_located() const { return place_ != Place::unknown; }
  bool has_file() const { return place_ == Place::open; }
  /// False: the disk would have to be asked.
  bool locate_at_once();
  /// Waits for the disk.
  void locate();
  /// What somebody has found who waited: the open file, or an errno.
  void located(File file, int failed);
  /// A checkpoint may have made a file where there was none. False: there was one.
  bool expect_file();

  std::uint32_t total() const { return total_; }
  /// Why the file can't be read: an errno.
  int trouble() const { return trouble_; }

  /// False: beyond the end, zeroed. `failed`: of the disk, as an errno.
  bool read(std::span<std::byte> to, std::uint64_t offset, int& failed);
  void write(std::uint32_t number, std::span<const std::byte> image);
  void resize(std::uint32_t pages);

  /// Whether anything was written since the last take().
  bool is_dirty() const { return !dirty_.empty() || total_ != committed_total_; }
  /// Appends what was written since the last time to a batch of the log, as one commit: of a page
  /// that is here since before, the parts that are others now; of one that was in the file, all.
  void take(BlockBuffer& batch, std::uint64_t batch_number);
  /// The same when there is no log.
  void keep();
  /// The newest batch with pages of this database; 0: none.
  std::uint64_t newest_batch() const { return newest_batch_; }
  /// Whether there is something of batches up to `batch`.
  bool has_of(std::uint64_t batch) const;
  /// Batches up to `batch` are in the file now, which is located again if there was none.
  void forget(std::uint64_t batch);
  /// Back to the file, into which everything durable was written before. It has to be located.
  void reset();
  /// No pages any more, which take() makes the end of the file.
  void clear();
  /// The file has it all, so that it can be read anew from there.
  bool is_clean() const { return overlay_.empty() && !is_dirty() && newest_batch_ == 0; }
  std::size_t overlay_bytes() const { return overlay_.size() * page_bytes; }

  /// Nothing is in it, and there is no file.
  bool is_nothing() const { return is_clean() && place_ == Place::nowhere && trouble_ == 0; }

  /// Nobody reads for now.
  void close_file();

  /// How many have it open. Kept by the Store.
  unsigned users = 0;
  /// What is here may be more than what is on disk: nobody reads until reset().
  bool blocked = false;
  /// Somebody waits for the disk to locate the file.
  bool opening = false;

 private:
  static constexpr std::uint64_t not_committed = UINT64_MAX;
  enum class Place : std::uint8_t { unknown, nowhere, open };
  struct Image {
    std::unique_ptr<std::byte[]> bytes;
    std::uint64_t batch = 0;  // of the log that it is in
    Parts written = 0;        // since the last commit, and with other bytes than before
  };

  std::string name_;
  std::string path_;
  File file_;
  Place place_ = Place::unknown;
  bool is_sized_ = false;  // total_ is right
  int trouble_ = 0;
  std::uint32_t total_ = 0;
  std::uint32_t committed_total_ = 0;
  std::uint64_t newest_batch_ = 0;
  std::unordered_map<std::uint32_t, Image> overlay_;  // by page number, from 1
  std::vector<std::uint32_t> dirty_;
};

}  // namespace ringroom::store
