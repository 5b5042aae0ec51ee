// Archive: a data folder looked at from outside of a server: which rooms are in it, and their
// databases, with what the logs have that the files don't yet. For commands; one thread. Holds the
// logs in memory: some segments for each shard of the server that ended last.
#pragma once

#include "ringroom/sql.h"
#include "store/block_buffer.h"
#include "store/checkpoint.h"
#include "store/folder.h"
#include "store/vfs.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::store {

struct StoredRoom {
  std::string class_name;
  std::string room;
  std::uint64_t bytes = 0;
  std::int64_t changed_ms = 0;  ///< since 1970: of the file, or of the log that has something newer
};

class Archive {
 public:
  /// Told what is there, also beside a running server: then as it was a moment ago.
  Trouble open_to_list(const std::string& folder);
  /// Told and read. Refuses a folder that a running server uses, whose files change meanwhile.
  Trouble open_to_read(const std::string& folder);

  /// Of which there are rooms, in the order of their names.
  std::vector<std::string> classes() const;
  /// Those of a class, in the order of their names.
  Trouble rooms(const std::string& class_name, std::vector<StoredRoom>& found);
  /// What a query gives that only reads; nothing if the room has no database. Throws SqlError.
  std::optional<SqlRows> read(std::string_view class_name,
                              std::string_view room,
                              std::string_view query);

 private:
  struct Found {
    std::uint64_t bytes = 0;
    std::int64_t changed_ms = 0;
  };
  // By the name of the database.
  using FoundRooms = std::map<std::string, Found, std::less<>>;

  Trouble read_logs();
  Trouble find_files(const std::string& class_name, FoundRooms& found) const;
  std::optional<SqlRows> read_database(const std::string& name, std::string_view query);
  std::string room_inside(const std::string& name);

  std::string folder_;
  FolderLock lock_;
  std::vector<std::unique_ptr<BlockBuffer>> logs_;
  NewestPages newest_;  // borrows from the logs
  std::int64_t logs_changed_ms_ = 0;
  Vfs vfs_;
};

}  // namespace ringroom::store
