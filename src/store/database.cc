#include "store/database.h"

#include "store/checkpoint.h"
#include "store/sql_text.h"

#include <utility>

#include <sqlite3.h>

namespace ringroom::store {

namespace {

using Clock = std::chrono::steady_clock;

// Of what we keep in a database; its user_version.
constexpr std::int64_t schema_version = 1;
// The clock is looked at after so many of SQLite's instructions: about a millisecond.
constexpr int instructions_per_look = 100'000;

constexpr std::string_view being_read_again = "the disk failed; what it has is being read again";
constexpr std::string_view use_transaction =
    "To execute a transaction, please use transaction() instead of the SQL BEGIN TRANSACTION or "
    "SAVEPOINT statements. It is safer because it rolls back on exceptions, and because it is part "
    "of the turn's commit.";

SqlValue column_value(sqlite3_stmt* statement, int column) {
  const auto bytes = [&] {
    return static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT: return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const unsigned char* text = sqlite3_column_text(statement, column);
      return std::string(reinterpret_cast<const char*>(text), bytes());
    }
    case SQLITE_BLOB: {
      const void* blob = sqlite3_column_blob(statement, column);
      return std::span<const std::byte>(static_cast<const std::byte*>(blob), bytes());
    }
    default: return {};
  }
}

struct Binder {
  sqlite3_stmt* statement;
  int index;
  int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
  int operator()(std::int64_t value) const { return sqlite3_bind_int64(statement, index, value); }
  int operator()(double value) const { return sqlite3_bind_double(statement, index, value); }
  // Static: the values outlive the statement's run.
  int operator()(const std::string& text) const {
    return sqlite3_bind_text64(statement, index, text.data(), text.size(), nullptr, SQLITE_UTF8);
  }
  int operator()(const SqlValue::Blob& blob) const {
    if (blob.empty()) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob64(statement, index, blob.data(), blob.size(), nullptr);
  }
};

}  // namespace

void Database::Close::operator()(sqlite3* connection) const {
  sqlite3_close(connection);
}

Database::Database(
    Vfs& vfs, Pages& pages, Turn& turn, Identity identity, const DatabaseLimits& limits)
    : pages_(pages),
      turn_(turn),
      limits_(limits),
      class_name_(identity.class_name),
      room_(identity.room),
      connection_(vfs.open(pages)) {
  if (connection_ == nullptr) {
    throw SqlError("", pages_.trouble() == 0
                           ? "out of memory: SQLITE_NOMEM"
                           : trouble("cannot read", pages_.name(), pages_.trouble()));
  }
  configure();
  if (pages_.total() > 0 || pages_.trouble() != 0) check_version();
}

Database::~Database() = default;

void Database::configure() {
  sqlite3* connection = connection_.get();
  const auto limit = [connection](int id, std::size_t value) {
    sqlite3_limit(connection, id, static_cast<int>(value));
  };
  sqlite3_extended_result_codes(connection, 1);
  // Small things from the allocator, not from a buffer of 48 KB that each open database has.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 0, 0);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  limit(SQLITE_LIMIT_ATTACHED, 0);
  limit(SQLITE_LIMIT_LENGTH, limits_.value_bytes_max);
  limit(SQLITE_LIMIT_SQL_LENGTH, limits_.query_bytes_max);
  sqlite3_set_authorizer(connection, authorize, this);
  sqlite3_progress_handler(connection, instructions_per_look, look_at_clock, this);
  // What SQLite would keep beside the database is kept in memory, and a page is written only by a
  // commit.
  const std::string settings =
      "PRAGMA page_size = " + std::to_string(page_bytes) +
      "; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;"
      "PRAGMA temp_store = MEMORY; PRAGMA cache_spill = OFF; PRAGMA cache_size = -" +
      std::to_string(limits_.cache_bytes_max / 1024) +
      "; PRAGMA max_page_count = " + std::to_string(limits_.database_bytes_max / page_bytes);
  own_ = true;
  const int result = sqlite3_exec(connection, settings.c_str(), nullptr, nullptr, nullptr);
  own_ = false;
  if (result != SQLITE_OK) fail("");
}

void Database::check_version() {
  const SqlRows rows = run_own("PRAGMA user_version");
  version_ = rows.front()[0].integer();
  if (version_ > schema_version) {
    throw SqlError("", "the database of " + class_name_ + "/" + room_ + " has version " +
                           std::to_string(version_) + ", and this Ringroom knows " +
                           std::to_string(schema_version) +
                           ": use the Ringroom that wrote it, or a later one");
  }
}

// To the version that we know, from any before it, 0 for a new one. Part of the first commit of
// whoever writes. In one string, of which nothing is kept for a next time.
void Database::bring_up() {
  const SqlValue identity[] = {class_name_, room_};
  run_own("PRAGMA user_version = " + std::to_string(schema_version) +
              "; CREATE TABLE IF NOT EXISTS _cf_room (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
              "INSERT OR IGNORE INTO _cf_room VALUES ('class', ?), ('name', ?)",
          identity);
}

// ---- Queries

SqlRows Database::run(std::string_view query, std::span<const SqlValue> values) {
  own_ = false;
  return run_all(query, values);
}

SqlRows Database::run_own(std::string_view query, std::span<const SqlValue> values) {
  const bool before = std::exchange(own_, true);
  try {
    SqlRows rows = run_all(query, values);
    own_ = before;
    return rows;
  } catch (...) {
    own_ = before;
    throw;
  }
}

bool Database::has_table(const char* name) {
  if (pages_.blocked) throw SqlError("", std::string(being_read_again));
  deadline_ = Clock::now() + limits_.query_time_max;  // the first use reads the schema
  const int result = sqlite3_table_column_metadata(connection_.get(), nullptr, name, nullptr,
                                                   nullptr, nullptr, nullptr, nullptr, nullptr);
  if (result == SQLITE_OK) return true;
  if (result == SQLITE_ERROR) return false;
  fail("");
}

SqlRows Database::run_all(std::string_view query, std::span<const SqlValue> values) {
  if (pages_.blocked) throw SqlError(query, std::string(being_read_again));
  if (is_undone() && !own_) throw SqlError(query, "a statement has rolled back the whole turn");
  deadline_ = Clock::now() + limits_.query_time_max;
  Statements& kept = own_ ? own_statements_ : statements_;
  if (sqlite3_stmt* statement = kept.find(query)) return step_through(statement, query, values);
  SqlRows rows;
  for (std::string_view rest = query;;) {
    const bool is_first = rest.data() == query.data();
    Statement statement = prepare(rest, query, is_first);
    const bool is_last = rest.find_first_not_of(" \t\r\n;") == std::string_view::npos;
    if (statement == nullptr && is_last) return rows;
    if (statement == nullptr) continue;
    if (!is_last) {
      step_through(statement.get(), query, {});
      continue;
    }
    if (!is_first) return step_through(statement.get(), query, values);
    return step_through(kept.keep(query, std::move(statement)), query, values);
  }
}

// Takes a statement off the front of `rest`. Null: there was only a comment.
Statement Database::prepare(std::string_view& rest, std::string_view query, bool keep) {
  sqlite3_stmt* prepared = nullptr;
  const char* tail = nullptr;
  refused_transaction_ = alters_ = false;
  const int result =
      sqlite3_prepare_v3(connection_.get(), rest.data(), static_cast<int>(rest.size()),
                         keep ? SQLITE_PREPARE_PERSISTENT : 0U, &prepared, &tail);
  if (result != SQLITE_OK) {
    if (refused_transaction_) throw SqlError(query, std::string(use_transaction));
    fail(query);
  }
  Statement statement(prepared);
  // SQLite asks about a table's old name only.
  if (alters_ && names_reserved(rest)) throw SqlError(query, "not authorized: SQLITE_AUTH");
  rest.remove_prefix(static_cast<std::size_t>(tail - rest.data()));
  return statement;
}

void Database::bind(sqlite3_stmt* statement,
                    std::string_view query,
                    std::span<const SqlValue> values) {
  const int wanted = sqlite3_bind_parameter_count(statement);
  if (static_cast<std::size_t>(wanted) != values.size()) {
    throw SqlError(query, "Wrong number of parameter bindings for SQL query: it has " +
                              std::to_string(wanted) + ", and got " +
                              std::to_string(values.size()));
  }
  for (int i = 0; i < wanted; ++i) {
    const SqlValue& value = values[static_cast<std::size_t>(i)];
    if (std::visit(Binder{statement, i + 1}, value.any()) != SQLITE_OK) fail(query);
  }
}

SqlRows Database::step_through(sqlite3_stmt* statement,
                               std::string_view query,
                               std::span<const SqlValue> values) {
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() {
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);
    }
  };
  const Reset reset{statement};
  bind(statement, query, values);
  const bool writes = sqlite3_stmt_readonly(statement) == 0;
  if (writes) prepare_to_write(query);
  const int columns = sqlite3_column_count(statement);
  std::vector<SqlValue> found;
  std::size_t bytes = 0;
  int result = sqlite3_step(statement);
  for (; result == SQLITE_ROW; result = sqlite3_step(statement)) {
    for (int i = 0; i < columns; ++i) {
      bytes += sizeof(SqlValue) + static_cast<std::size_t>(sqlite3_column_bytes(statement, i));
      found.push_back(column_value(statement, i));
    }
    if (bytes > limits_.result_bytes_max) {
      throw SqlError(query, "the rows are larger than " + std::to_string(limits_.result_bytes_max) +
                                " bytes: ask for fewer");
    }
  }
  if (result != SQLITE_DONE) {
    const SqlError error = error_of(query);
    go_on_after_undo();
    throw error;
  }
  wrote_ = wrote_ || writes;
  std::vector<std::string> names;
  for (int i = 0; i < columns; ++i) names.emplace_back(sqlite3_column_name(statement, i));
  return {std::move(names), std::move(found)};
}

SqlError Database::error_of(std::string_view query) const {
  if (pages_.trouble() != 0)
    return {query, trouble("cannot read", pages_.name(), pages_.trouble())};
  return {query, cause_of(connection_.get())};
}

void Database::fail(std::string_view query) {
  throw error_of(query);
}

// A full database or a statement that took too long makes SQLite undo the whole transaction. If
// there was nothing else in it, nothing is lost.
void Database::go_on_after_undo() {
  if (!is_undone() || wrote_ || nested_ > 0) return;
  begun_ = writing_ = false;
  run_own("BEGIN");
  begun_ = true;
}

int Database::authorize(
    void* self, int action, const char* a, const char* b, const char*, const char*) {
  auto& database = *static_cast<Database*>(self);
  if (action == SQLITE_ALTER_TABLE) database.alters_ = !database.own_;
  if (database.own_ || is_allowed(action, a, b)) return SQLITE_OK;
  if (action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT) {
    database.refused_transaction_ = true;
  }
  return SQLITE_DENY;
}

int Database::look_at_clock(void* self) {
  return Clock::now() > static_cast<Database*>(self)->deadline_ ? 1 : 0;
}

// ---- The turn's transaction

void Database::join_turn() {
  if (in_turn_) return;
  in_turn_ = true;
  turn_.joins();
  run_own("BEGIN");
  begun_ = true;
}

void Database::prepare_to_write(std::string_view query) {
  if (writing_) return;
  if (const std::string why = turn_.writes(); !why.empty()) throw SqlError(query, why);
  join_turn();
  writing_ = true;
  if (version_ == schema_version) return;
  const bool wrote = wrote_;
  bring_up();
  wrote_ = wrote;  // nothing that the agent would miss
}

// By a statement such as INSERT OR ROLLBACK.
bool Database::is_undone() const {
  return begun_ && sqlite3_get_autocommit(connection_.get()) != 0;
}

void Database::begin_nested() {
  join_turn();
  run_own("SAVEPOINT nested" + std::to_string(nested_));
  ++nested_;
}

void Database::end_nested() {
  --nested_;
  run_own("RELEASE nested" + std::to_string(nested_));
}

void Database::undo_nested() {
  --nested_;
  const std::string name = "nested" + std::to_string(nested_);
  if (is_undone()) return;
  run_own("ROLLBACK TO " + name);
  run_own("RELEASE " + name);
  writing_ = false;  // the version may be undone too
}

bool Database::commit() {
  const bool undone = is_undone();
  begun_ = false;
  if (!undone) {
    try {
      run_own("COMMIT");
      if (writing_) version_ = schema_version;
      in_turn_ = writing_ = wrote_ = false;
      return true;
    } catch (const SqlError&) {  // a deferred constraint
    }
  }
  roll_back();
  return false;
}

void Database::roll_back() {
  in_turn_ = begun_ = writing_ = wrote_ = false;
  own_ = true;
  sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  own_ = false;
}

}  // namespace ringroom::store
