// SQLite on plain files, for what is done before there are shards: no VFS of ours, no log. Blocks.
#pragma once

#include "store/statements.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

namespace ringroom::store {

struct CloseSqlite {
  void operator()(sqlite3* connection) const { sqlite3_close(connection); }
};
using SqliteFile = std::unique_ptr<sqlite3, CloseSqlite>;

/// Made if it isn't there. What is wrong comes with the first statement.
inline SqliteFile open_sqlite(const std::string& path) {
  sqlite3* opened = nullptr;
  sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  return SqliteFile(opened);
}

/// Null if it fails; sqlite3_errmsg() tells why.
inline Statement prepare_sqlite(sqlite3* connection, const char* query) {
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(connection, query, -1, &prepared, nullptr);
  return Statement(prepared);
}

inline std::string_view text_of_sqlite(sqlite3_stmt* row, int column) {
  return {reinterpret_cast<const char*>(sqlite3_column_text(row, column)),
          static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
}

}  // namespace ringroom::store
