#include "store/sql_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <sqlite3.h>

namespace ringroom::store {

namespace {

using Name = std::pair<int, std::string_view>;

constexpr std::array<Name, 28> primary_names = {{
    {SQLITE_ERROR, "SQLITE_ERROR"},
    {SQLITE_INTERNAL, "SQLITE_INTERNAL"},
    {SQLITE_PERM, "SQLITE_PERM"},
    {SQLITE_ABORT, "SQLITE_ABORT"},
    {SQLITE_BUSY, "SQLITE_BUSY"},
    {SQLITE_LOCKED, "SQLITE_LOCKED"},
    {SQLITE_NOMEM, "SQLITE_NOMEM"},
    {SQLITE_READONLY, "SQLITE_READONLY"},
    {SQLITE_INTERRUPT, "SQLITE_INTERRUPT"},
    {SQLITE_IOERR, "SQLITE_IOERR"},
    {SQLITE_CORRUPT, "SQLITE_CORRUPT"},
    {SQLITE_NOTFOUND, "SQLITE_NOTFOUND"},
    {SQLITE_FULL, "SQLITE_FULL"},
    {SQLITE_CANTOPEN, "SQLITE_CANTOPEN"},
    {SQLITE_PROTOCOL, "SQLITE_PROTOCOL"},
    {SQLITE_EMPTY, "SQLITE_EMPTY"},
    {SQLITE_SCHEMA, "SQLITE_SCHEMA"},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG"},
    {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT"},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH"},
    {SQLITE_MISUSE, "SQLITE_MISUSE"},
    {SQLITE_NOLFS, "SQLITE_NOLFS"},
    {SQLITE_AUTH, "SQLITE_AUTH"},
    {SQLITE_FORMAT, "SQLITE_FORMAT"},
    {SQLITE_RANGE, "SQLITE_RANGE"},
    {SQLITE_NOTADB, "SQLITE_NOTADB"},
    {SQLITE_NOTICE, "SQLITE_NOTICE"},
    {SQLITE_WARNING, "SQLITE_WARNING"},
}};

// Of the extended ones those that an agent can bring about.
constexpr std::array<Name, 15> extended_names = {{
    {SQLITE_CONSTRAINT_CHECK, "SQLITE_CONSTRAINT_CHECK"},
    {SQLITE_CONSTRAINT_COMMITHOOK, "SQLITE_CONSTRAINT_COMMITHOOK"},
    {SQLITE_CONSTRAINT_DATATYPE, "SQLITE_CONSTRAINT_DATATYPE"},
    {SQLITE_CONSTRAINT_FOREIGNKEY, "SQLITE_CONSTRAINT_FOREIGNKEY"},
    {SQLITE_CONSTRAINT_FUNCTION, "SQLITE_CONSTRAINT_FUNCTION"},
    {SQLITE_CONSTRAINT_NOTNULL, "SQLITE_CONSTRAINT_NOTNULL"},
    {SQLITE_CONSTRAINT_PINNED, "SQLITE_CONSTRAINT_PINNED"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, "SQLITE_CONSTRAINT_PRIMARYKEY"},
    {SQLITE_CONSTRAINT_ROWID, "SQLITE_CONSTRAINT_ROWID"},
    {SQLITE_CONSTRAINT_TRIGGER, "SQLITE_CONSTRAINT_TRIGGER"},
    {SQLITE_CONSTRAINT_UNIQUE, "SQLITE_CONSTRAINT_UNIQUE"},
    {SQLITE_CONSTRAINT_VTAB, "SQLITE_CONSTRAINT_VTAB"},
    {SQLITE_IOERR_READ, "SQLITE_IOERR_READ"},
    {SQLITE_IOERR_FSTAT, "SQLITE_IOERR_FSTAT"},
    {SQLITE_CORRUPT_VTAB, "SQLITE_CORRUPT_VTAB"},
}};

template <typename Names>
std::string name_in(const Names& names, int code) {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [code](const Name& name) { return name.first == code; });
  return found == names.end() ? "error " + std::to_string(code) : std::string(found->second);
}

bool equals(const char* a, std::string_view b) {
  return a != nullptr && sqlite3_stricmp(a, std::string(b).c_str()) == 0;
}

template <std::size_t Count>
bool is_one_of(const char* name, const std::array<std::string_view, Count>& names) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view each) { return equals(name, each); });
}

bool is_reserved(const char* name) {
  return name != nullptr && sqlite3_strnicmp(name, reserved_prefix.data(),
                                             static_cast<int>(reserved_prefix.size())) == 0;
}

// What only tells, or holds for one turn.
bool is_allowed_pragma(const char* name, const char* value) {
  constexpr std::array<std::string_view, 13> telling = {
      "table_info",    "table_xinfo",      "table_list",        "index_info",  "index_xinfo",
      "index_list",    "foreign_key_list", "foreign_key_check", "quick_check", "integrity_check",
      "function_list", "collation_list",   "defer_foreign_keys"};
  constexpr std::array<std::string_view, 4> told = {"page_count", "freelist_count", "page_size",
                                                    "data_version"};
  return is_one_of(name, telling) || (value == nullptr && is_one_of(name, told));
}

}  // namespace

std::string cause_of(sqlite3* connection) {
  const int extended = sqlite3_extended_errcode(connection);
  const int primary = extended & 0xff;
  std::string cause = sqlite3_errmsg(connection);
  const int offset = sqlite3_error_offset(connection);
  if (offset >= 0) cause += " at offset " + std::to_string(offset);
  cause += ": " + name_in(primary_names, primary);
  if (extended != primary) cause += " (extended: " + name_in(extended_names, extended) + ")";
  return cause;
}

bool is_allowed(int action, const char* first, const char* second) {
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT: return false;
    case SQLITE_PRAGMA: return is_allowed_pragma(first, second);
    case SQLITE_FUNCTION: return !equals(second, "load_extension");
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_VTABLE: {
      constexpr std::array<std::string_view, 3> modules = {"fts5", "fts5vocab", "rtree"};
      return is_one_of(second, modules) && !is_reserved(first);
    }
    case SQLITE_ALTER_TABLE: return !is_reserved(second);
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_DROP_INDEX:
    case SQLITE_DROP_TRIGGER: return !is_reserved(first) && !is_reserved(second);
    default: return !is_reserved(first);
  }
}

bool names_reserved(std::string_view text) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), reserved_prefix.begin(), reserved_prefix.end(),
                     same) != text.end();
}

}  // namespace ringroom::store
