// What the agents of the recordings have in common. They are Ringroom's versions of the agents that
// the recorded system ran, behaviour for behaviour. Each on its room's shard.
#pragma once

#include <ringroom/ringroom.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace recorded {

/// What the recorded agents had in their durable storage: outlives the agent, not the server. Rooms
/// live on several shards, each a thread, so it needs a lock. As large as what the tests put in.
class Shelf {
 public:
  explicit Shelf(const ringroom::Agent& agent)
      : prefix_(std::string(agent.class_name()) + '/' + std::string(agent.name()) + '/') {}
  /// Null if there is no such value.
  ringroom::json get(std::string_view key) const {
    const std::lock_guard lock(mutex());
    const auto found = values().find(prefix_ + std::string(key));
    return found == values().end() ? ringroom::json() : found->second;
  }
  void put(std::string_view key, ringroom::json value) {
    const std::lock_guard lock(mutex());
    values()[prefix_ + std::string(key)] = std::move(value);
  }
  /// Adds one, and returns what it is then; nothing counts as 0.
  int count(std::string_view key) {
    const ringroom::json old = get(key);
    const int now = old.is_null() ? 1 : old.get<int>() + 1;
    put(key, now);
    return now;
  }

 private:
  static std::mutex& mutex() {
    static std::mutex only;
    return only;
  }
  static std::map<std::string, ringroom::json>& values() {
    static std::map<std::string, ringroom::json> all;
    return all;
  }

  std::string prefix_;
};

/// "text:hello" or "binary(ArrayBuffer):00ff".
inline std::string describe(ringroom::Message message) {
  if (message.is_text()) return "text:" + std::string(message.text());
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "binary(ArrayBuffer):";
  for (const std::byte byte : message.bytes()) {
    text += digits[std::to_integer<std::size_t>(byte >> 4)];
    text += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

/// All query parameters of that name. Percent escapes are left as they are.
inline std::vector<std::string> query_all(const ringroom::Request& request, std::string_view name) {
  std::vector<std::string> values;
  std::string_view rest = request.query_string();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) != name) continue;
    values.emplace_back(pair.substr(std::min(equals + 1, pair.size())));
  }
  return values;
}

/// The tags that several of the recorded agents make from `?n=`, `?len=` and `?ulen=`; nothing if
/// the query has none of them.
inline std::optional<std::vector<std::string>> tags_by_size(const ringroom::Request& request) {
  const auto number = [&](const char* name) { return std::stoul(*request.query(name)); };
  if (request.query("n")) {
    std::vector<std::string> tags;
    for (std::size_t i = 0; i < number("n"); ++i) tags.push_back("t" + std::to_string(i));
    return tags;
  }
  if (request.query("len")) return std::vector{std::string(number("len"), 'x')};
  if (!request.query("ulen")) return std::nullopt;
  std::string tag;
  for (std::size_t i = 0; i < number("ulen"); ++i) tag += "é";
  return std::vector{tag};
}

}  // namespace recorded
