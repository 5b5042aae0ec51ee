// Storage: an agent's own keys and values, kept in the same database as its SQL tables and part of
// the same commits. From Agent::storage(); on the room's shard, good until the callback returns.
// Keys are 1 to 2,048 bytes, a value is JSON of up to 2 MiB.
#pragma once

#include "ringroom/json.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ringroom {

namespace detail {
class Host;
}

/// Which keys list() gives, in the order of their bytes.
struct ListOptions {
  std::string_view prefix{};                ///< keys that begin with it
  std::optional<std::string_view> start{};  ///< from this key on
  std::optional<std::string_view> end{};    ///< before this key
  std::optional<std::size_t> limit{};       ///< so many at most
  bool reverse = false;                     ///< with a limit: the last ones
};

class Storage {
 public:
  explicit Storage(detail::Host& host) : host_(&host) {}

  /// Each throws SqlError if the database can't be read or written, and std::length_error for a key
  /// or value beyond the limits.
  std::optional<json> get(std::string_view key) const;
  template <typename T>
  std::optional<T> get(std::string_view key) const {
    const std::optional<json> value = get(key);
    return value ? std::optional<T>(value->get<T>()) : std::nullopt;
  }
  void put(std::string_view key, const json& value);
  /// Whether there was one.
  bool erase(std::string_view key);
  /// How many there were.
  std::size_t erase_all();
  std::map<std::string, json> list(const ListOptions& options = {}) const;

 private:
  detail::Host* host_;
};

}  // namespace ringroom
