// Log: one shard's. Commits of all its rooms are gathered in a batch; one batch at a time is
// written to the current segment, the next one gathers meanwhile. What is written has a number, and
// the number that is durable only grows. On its shard's thread. Bounded: a batch takes no more
// commits above batch_bytes_max, segments by what waits for the helper.
#pragma once

#include "store/block_buffer.h"
#include "store/helper.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace ringroom::store {

/// One write at the log's end. The bytes stay put until written().
struct LogWrite {
  int descriptor = -1;
  std::span<const std::byte> bytes;
  std::uint64_t offset = 0;
};

/// What changed when the helper's answers were read.
struct LogNews {
  std::optional<std::uint64_t> written_back;  // batches up to this stand in the files
  unsigned segments = 0;                      // that it took
  bool healed = false;                        // a failed log may be written again
  // Databases whose files don't have what is written back; nothing: as before.
  std::optional<std::shared_ptr<const Behind>> behind;
};

class Log {
 public:
  static constexpr std::size_t batch_bytes_max = std::size_t{64} << 20U;

  /// `unit`: of writes, block_bytes if they go past the page cache, else record_unit.
  Log(Helper& helper, std::uint64_t segment_bytes, std::size_t unit);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  const Desk& desk() const { return *desk_; }
  /// Commits go here; the number is batch_number().
  BlockBuffer& batch() { return filling_; }
  std::uint64_t batch_number() const { return filling_number_; }
  std::uint64_t durable() const { return durable_; }
  /// Why nothing can be written now, in SQLite's words and our own; empty: it can.
  const Trouble& trouble() const { return trouble_; }
  bool is_full() const { return filling_.size() > batch_bytes_max; }
  /// Nothing waits to be written.
  bool is_idle() const { return filling_.empty() && writing_.empty(); }

  bool has_batch() const { return !filling_.empty(); }
  bool is_writing() const { return !writing_.empty(); }
  unsigned segments_waiting() const { return retired_; }

  /// The next batch, if there is one, none is being written, and there is a place for it.
  std::optional<LogWrite> next_write();
  /// The batch is durable, or it isn't: `failure`, an errno. Then it and all that was gathered
  /// since is thrown away, and nothing is written until the helper has made the log whole again.
  void written(int failure);
  /// Carries out a write on this thread, without a sync. 0 or an errno.
  int write_now(const LogWrite& write) { return current_->file.write(write.bytes, write.offset); }
  /// Reads the helper's answers.
  LogNews read_answers();
  /// A segment is being made, and nothing stands in its way.
  bool is_waiting_for_segment() const { return asked_ && no_spare_.empty(); }
  /// Gives the current segment to the helper, at the end of a shard.
  void finish();

 private:
  void fail(Trouble why);
  void ask_for_segment(std::uint64_t bytes);
  void retire(std::optional<std::uint64_t> cut);

  Helper& helper_;
  const std::uint64_t segment_bytes_;
  const std::size_t unit_;
  std::shared_ptr<Desk> desk_ = std::make_shared<Desk>();
  BlockBuffer filling_;
  BlockBuffer writing_;
  std::uint64_t filling_number_ = 1;
  std::uint64_t durable_ = 0;
  std::optional<Segment> current_;
  std::optional<Segment> spare_;
  std::uint64_t end_ = 0;            // of what is durable in the current segment
  std::uint64_t records_ = 0;        // in it
  std::uint64_t records_after_ = 0;  // with the batch being written
  bool asked_ = false;               // for a segment
  unsigned retired_ = 0;             // segments that the helper hasn't written back yet
  Trouble no_spare_;                 // why there is none
  Trouble trouble_;
};

}  // namespace ringroom::store
