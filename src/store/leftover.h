// Leftover: databases whose own files can't be written, each with its newest pages, while all
// others are written back. They stand in a file of the log, so that the segments they came from can
// go. On the helper's thread, or at a start before there are others. Bounded: a room that is left
// over can't be written to any more.
#pragma once

#include "store/checkpoint.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringroom::store {

/// Databases that are left over, and why. Immutable, so that all threads may look at it.
using Behind = std::map<std::string, Trouble, std::less<>>;

class Leftover {
 public:
  explicit Leftover(std::string folder) : folder_(std::move(folder)) {}

  bool empty() const { return kept_.empty(); }
  bool holds(std::string_view name) const { return kept_.contains(name); }
  /// Keeps the pages, over those that it has of the same database.
  void keep(std::string_view name, const Newest& newest, const Trouble& why);
  /// Writes into the files what can be written now, which must be synced before store().
  void try_again();
  /// Something was kept or written since the last store().
  bool has_changed() const { return has_changed_; }
  /// Makes its file of the log anew, as a segment of that generation: to be synced.
  Trouble store(std::uint64_t generation);
  /// Of its newest file; 0: there was none.
  std::uint64_t generation() const { return generation_; }
  /// Its files that the newest one replaces: to be removed when that is synced, before segments
  /// that were written since.
  const std::vector<std::string>& replaced() const { return replaced_; }
  void forget_replaced() { replaced_.clear(); }
  /// Null if nothing is left over.
  std::shared_ptr<const Behind> behind() const;

 private:
  struct Page {
    std::array<std::byte, page_bytes> bytes;
    Parts parts = 0;  // that it has
  };
  struct Kept {
    std::map<std::uint32_t, Page> pages;
    std::uint32_t pages_total = 0;
    Trouble why;
    Newest newest() const;
  };

  int write(const std::string& path, std::uint64_t generation) const;

  std::string folder_;
  std::map<std::string, Kept, std::less<>> kept_;
  bool has_changed_ = false;
  std::string path_;  // of its file; empty: there is none
  std::vector<std::string> replaced_;
  std::uint64_t generation_ = 0;
  std::uint64_t files_ = 0;  // made
};

}  // namespace ringroom::store
