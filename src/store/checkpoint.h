// Checkpoint: the commits of a log's segment, written into the databases' own files. The same when
// a segment is full, at the end of the server, and at a start that finds what a crash left. Blocks;
// on the helper's thread, or before there are others.
#pragma once

#include "store/block_buffer.h"
#include "store/disk.h"
#include "store/log_format.h"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ringroom::store {

class Leftover;

/// What is wrong with a disk, in words for the log; empty: nothing.
using Trouble = std::string;
Trouble trouble(const std::string& what, const std::string& path, int error);

/// Segments in the folder of the logs, the oldest first, by generation; those that were being made,
/// 0, hold nothing.
Trouble find_segments(const std::string& folder, std::multimap<std::uint64_t, std::string>& found);

/// Over what was in `whole`.
Trouble read_whole(const File& file, BlockBuffer& whole);

/// The newest of each part of a page that segments have; null: it is as in the file.
using NewestParts = std::array<const std::byte*, parts_of_page>;

/// What segments have of one database.
struct Newest {
  std::map<std::uint32_t, NewestParts> pages;  // in the order of the file
  std::uint32_t pages_total = 0;
};
/// By the database's name. Borrows the segments' bytes.
using NewestPages = std::unordered_map<std::string_view, Newest>;
/// Adds what a segment has, which comes behind what was added before.
void add_commits(std::span<const std::byte> segment, NewestPages& all);

/// Writes what is newest of one database into its file. 0 or an errno.
int write_database(const std::string& path, const Newest& newest);

/// Writes a segment's commits into the files of `folder`. What is written isn't synced. `whole`: a
/// place to read the segment to. `leftover`: for databases that can't be written alone; null: the
/// first one of them is a trouble.
Trouble write_back(const File& segment,
                   const std::string& folder,
                   BlockBuffer& whole,
                   Leftover* leftover);

/// Whether a start has something to recover: a server that ended as it should leaves nothing.
bool has_segments(const std::string& folder);
/// What a start finds in the folder of the logs: all segments, oldest first, are written back,
/// synced and removed. `leftover`: for rooms whose files can't be written; null: the first one of
/// them is a trouble.
Trouble recover(const std::string& folder, Leftover* leftover = nullptr);

/// Removes segments that are written back, so that a crash never leaves an older one without the
/// newer: its pages would be taken for the newest.
Trouble remove_in_order(const std::vector<std::string>& oldest_first, const std::string& folder);

/// Where the logs are, in the data folder.
std::string log_folder(const std::string& folder);
/// Where a database's file is.
std::string database_path(const std::string& folder, std::string_view name);

}  // namespace ringroom::store
