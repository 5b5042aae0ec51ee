// Statements: prepared ones of one connection, kept for the next time. On the connection's thread.
// Bounded: above statements_max the one that was used longest ago goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3_stmt;

namespace ringroom::store {

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const;
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

class Statements {
 public:
  static constexpr std::size_t statements_max = 64;

  sqlite3_stmt* find(std::string_view query);
  sqlite3_stmt* keep(std::string_view query, Statement statement);
  std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    Statement statement;
    std::uint64_t used = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::unordered_map<std::string, Kept, Hash, std::equal_to<>> kept_;
  std::uint64_t clock_ = 0;
};

}  // namespace ringroom::store
