// The log's format. A segment is a file: a header block, then batches, of whole blocks if they go
// past the page cache. A batch holds records: one commit of one database, as the parts of its pages
// that it changed. What a crash left is read up to the first record that doesn't fit: wrong
// checksum, number or generation. Pure functions over bytes; any thread.
#pragma once

#include "store/block_buffer.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ringroom::store {

/// SQLite's page, and the unit of files and overlays.
inline constexpr std::size_t page_bytes = 4096;
/// The unit of what the log has of a page: a sector, so that one that a power loss tore is written
/// again as a whole.
inline constexpr std::size_t part_bytes = 512;
inline constexpr std::size_t parts_of_page = page_bytes / part_bytes;
/// Some parts of a page: bit i is that at i * part_bytes.
using Parts = std::uint8_t;
inline constexpr Parts whole_page = 0xff;
static_assert(parts_of_page == 8);

enum class RecordKind : std::uint32_t {
  filler = 1,  // to the end of the batch's last block
  commit = 2,
};

struct RecordHeader {
  std::uint64_t checksum = 0;    // of all of the record that follows it
  std::uint64_t generation = 0;  // of the segment, so that a file can be used again
  std::uint64_t number = 0;      // counts the segment's records
  std::uint64_t bytes = 0;       // of the record, a multiple of record_unit
  RecordKind kind{};
  std::uint32_t name_bytes = 0;
  std::uint32_t pages = 0;        // in the record
  std::uint32_t pages_total = 0;  // of the database after the commit
  std::uint32_t parts = 0;        // of the pages, in the record; 0: all of them
  std::uint32_t spare[3] = {};
};
/// A filler fits into what any record leaves of a block.
inline constexpr std::size_t record_unit = 64;
static_assert(sizeof(RecordHeader) == record_unit && block_bytes % record_unit == 0);

/// A page in a commit, and which parts of it differ from the commit before: one at least.
struct PageChange {
  std::uint32_t number = 0;  // from 1
  Parts parts = whole_page;
  const std::byte* page = nullptr;
};

/// A commit as it was found in a segment; one of no pages destroys the database. Borrows the
/// segment's bytes.
struct Commit {
  std::string_view database;
  std::uint32_t pages_total;
  std::span<const std::uint32_t> numbers;  // of the pages, from 1
  std::span<const Parts> parts;            // of each; empty: all of all
  std::span<const std::byte> bytes;        // of the parts, page by page
};

void append_commit(BlockBuffer& batch,
                   std::string_view database,
                   std::uint32_t pages_total,
                   std::span<const PageChange> pages);

/// Makes a batch ready for its place: filled up to whole units, of block_bytes or record_unit,
/// numbered from `number`, summed. Returns the number behind its last record.
std::uint64_t seal_batch(BlockBuffer& batch,
                         std::size_t unit,
                         std::uint64_t generation,
                         std::uint64_t number);

/// The header block of a new segment.
void write_segment_header(std::span<std::byte> block, std::uint64_t generation);
/// The generation that a header block tells; nothing if it isn't one.
std::optional<std::uint64_t> segment_generation(std::span<const std::byte> block);

/// Reads the records of one segment, behind each other.
class SegmentReader {
 public:
  /// `segment`: the whole file, header block and all. It stays the caller's.
  explicit SegmentReader(std::span<const std::byte> segment);
  /// Nothing in it if the header is none: the file was being made.
  bool is_segment() const { return generation_.has_value(); }
  std::uint64_t generation() const { return *generation_; }
  /// The next commit, in the order of writing; nothing at the end.
  std::optional<Commit> next();

 private:
  std::span<const std::byte> segment_;
  std::optional<std::uint64_t> generation_;
  std::size_t at_ = block_bytes;
  std::uint64_t number_ = 0;
};

}  // namespace ringroom::store
