// Database: an open connection to one room's database. What is written belongs to the turn's
// transaction, which the Store commits. On its shard's thread; made when the room first asks,
// closed when it sleeps or others need the handle. Bounded by DatabaseLimits.
#pragma once

#include "ringroom/limits.h"
#include "ringroom/sql.h"
#include "store/pages.h"
#include "store/statements.h"
#include "store/vfs.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

namespace ringroom::store {

struct DatabaseLimits {
  std::uint64_t database_bytes_max = limits::database_bytes_max_default;
  std::size_t value_bytes_max = std::size_t{2} << 20U;  ///< of a TEXT, a BLOB or a row
  std::size_t query_bytes_max = std::size_t{100} << 10U;
  std::size_t cache_bytes_max = std::size_t{2} << 20U;  ///< SQLite's pages of one database
  std::chrono::milliseconds query_time_max{5'000};
  std::size_t result_bytes_max = SIZE_MAX;  ///< of all rows of a query, as they lie in memory
};

/// Told before a database's transaction begins, and before it is written to.
class Turn {
 public:
  virtual ~Turn() = default;
  /// The database has a transaction from now on, until the end of the turn.
  virtual void joins() = 0;
  /// It will be written to. Returns why it can't be; empty: it can.
  virtual std::string writes() = 0;
};

/// That of whoever looks at a room from outside.
class NoTurn final : public Turn {
 public:
  void joins() override {}
  std::string writes() override { return "only reading is possible from outside of the room"; }
};

/// Whose database it is.
struct Identity {
  std::string_view class_name;
  std::string_view room;
};

class Database {
 public:
  /// Throws SqlError if the file can't be read, is damaged, or is of a later Ringroom.
  Database(Vfs& vfs, Pages& pages, Turn& turn, Identity identity, const DatabaseLimits& limits);
  /// What isn't committed is undone.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// An agent's query: one statement or several; the last one gets the values and gives the rows.
  SqlRows run(std::string_view query, std::span<const SqlValue> values);
  /// The same without the rules for agents.
  SqlRows run_own(std::string_view query, std::span<const SqlValue> values = {});
  /// Throws SqlError if the database can't be read.
  bool has_table(const char* name);

  /// A transaction in the turn's: what follows can be undone. They nest.
  void begin_nested();
  void end_nested();
  void undo_nested();

  /// Takes part in the turn. A query that writes, or a nested transaction, does so too.
  void join_turn();
  /// Ends the turn's transaction. False: it couldn't be, and the turn's writes are lost.
  bool commit();
  void roll_back();
  bool is_in_turn() const { return in_turn_; }
  const Pages& pages() const { return pages_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  using Deadline = std::chrono::steady_clock::time_point;

  void configure();
  void check_version();
  void bring_up();
  bool is_undone() const;
  void prepare_to_write(std::string_view query);
  SqlRows run_all(std::string_view query, std::span<const SqlValue> values);
  Statement prepare(std::string_view& rest, std::string_view query, bool keep);
  SqlRows step_through(sqlite3_stmt* statement,
                       std::string_view query,
                       std::span<const SqlValue> values);
  void bind(sqlite3_stmt* statement, std::string_view query, std::span<const SqlValue> values);
  void go_on_after_undo();
  SqlError error_of(std::string_view query) const;
  [[noreturn]] void fail(std::string_view query);
  static int authorize(
      void* self, int action, const char* a, const char* b, const char*, const char*);
  static int look_at_clock(void* self);

  Pages& pages_;
  Turn& turn_;
  DatabaseLimits limits_;
  std::string class_name_;
  std::string room_;
  std::unique_ptr<sqlite3, Close> connection_;
  Statements statements_;
  Statements own_statements_;
  Deadline deadline_{};
  unsigned nested_ = 0;
  bool own_ = false;          // our own statement is prepared or runs
  bool in_turn_ = false;      // the Store knows that a transaction
  bool begun_ = false;        // is open
  bool writing_ = false;      // it may have written, as the version that we know
  std::int64_t version_ = 0;  // as of the last commit
  bool wrote_ = false;        // and has
  bool refused_transaction_ = false;
  bool alters_ = false;  // the statement being prepared is an ALTER TABLE
};

}  // namespace ringroom::store
