// LocalValues: what connection.local<T>() gives: one value of the agent's type for each member, in
// an array parallel to the members. Owned by the room, on its shard; dies with the agent.
#pragma once

#include "ringroom/connection.h"

#include <cstddef>
#include <cstdint>

namespace ringroom::agent_runtime {

class LocalValues {
 public:
  LocalValues() = default;
  ~LocalValues() { clear(); }
  LocalValues(const LocalValues&) = delete;
  LocalValues& operator=(const LocalValues&) = delete;

  /// The value of a member; the first call fixes the type and makes values for `members` of them.
  /// Throws std::logic_error for another type.
  void* at(const detail::LocalType& type, std::size_t index, std::size_t members);
  /// Member `index` left; the one at `last` got its place.
  void leave(std::size_t index, std::size_t last);
  void clear();

 private:
  void grow(std::size_t members);
  std::byte* value(std::size_t index) { return values_ + index * type_->bytes; }

  const detail::LocalType* type_ = nullptr;
  std::byte* values_ = nullptr;
  std::size_t made_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace ringroom::agent_runtime
