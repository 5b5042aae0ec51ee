#include "store/statements.h"

#include <algorithm>

#include <sqlite3.h>

namespace ringroom::store {

void FinalizeStatement::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

sqlite3_stmt* Statements::find(std::string_view query) {
  const auto found = kept_.find(query);
  if (found == kept_.end()) return nullptr;
  found->second.used = ++clock_;
  return found->second.statement.get();
}

sqlite3_stmt* Statements::keep(std::string_view query, Statement statement) {
  if (kept_.size() >= statements_max) {
    kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    }));
  }
  Kept& kept = kept_[std::string(query)];
  kept = {std::move(statement), ++clock_};
  return kept.statement.get();
}

}  // namespace ringroom::store
