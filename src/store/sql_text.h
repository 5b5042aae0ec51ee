// What SQLite's results are called, and what an agent may ask of it. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

struct sqlite3;

namespace ringroom::store {

/// Tables with this prefix are ours.
inline constexpr std::string_view reserved_prefix = "_cf_";

/// The cause of the connection's last error as an SqlError tells it:
/// `no such table: nope: SQLITE_ERROR`.
std::string cause_of(sqlite3* connection);

/// Whether an agent's statement may do this: the arguments of sqlite3_set_authorizer's callback.
bool is_allowed(int action, const char* first, const char* second);

/// Whether a statement's text has a name with our prefix in it.
bool names_reserved(std::string_view text);

}  // namespace ringroom::store
