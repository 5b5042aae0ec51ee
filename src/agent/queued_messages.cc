#include "agent/queued_messages.h"

#include "base/assert.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace ringroom::agent_runtime {

QueuedMessages::Id QueuedMessages::add(const BatchedMessage& message, std::int64_t now_ms) {
  if (free_.empty()) {
    free_.push_back(static_cast<Id>(messages_.size()));
    messages_.emplace_back();
  }
  const Id id = free_.back();
  free_.pop_back();
  Stored& stored = messages_[id];
  const std::size_t type_bytes = message.type.size();
  const std::size_t key_bytes = message.key.size();
  stored.bytes.resize(type_bytes + key_bytes + message.payload.size());
  std::byte* to = stored.bytes.data();
  if (type_bytes > 0) std::memcpy(to, message.type.data(), type_bytes);
  if (key_bytes > 0) std::memcpy(to + type_bytes, message.key.data(), key_bytes);
  if (!message.payload.empty()) {
    std::memcpy(to + type_bytes + key_bytes, message.payload.data(), message.payload.size());
  }
  stored.key = message.key.empty() ? no_key : take_key(message.key);
  stored.queued_ms = now_ms;
  stored.type_bytes = static_cast<std::uint8_t>(type_bytes);
  stored.key_bytes = static_cast<std::uint8_t>(key_bytes);
  stored.kind = message.kind;
  stored.references = 1;
  return id;
}

void QueuedMessages::release(Id id) {
  Stored& stored = messages_[id];
  ASSERT(stored.references > 0);
  if (--stored.references > 0) return;
  if (stored.key != no_key) release_key(stored.key);
  if (stored.bytes.capacity() > bytes_kept) std::vector<std::byte>().swap(stored.bytes);
  free_.push_back(id);
}

BatchedMessage QueuedMessages::view(Id id, std::int64_t now_ms) const {
  const Stored& stored = messages_[id];
  const char* text = reinterpret_cast<const char*>(stored.bytes.data());
  const std::int64_t age_ms = std::clamp<std::int64_t>(now_ms - stored.queued_ms, 0,
                                                       std::numeric_limits<std::uint32_t>::max());
  return {.type = {text, stored.type_bytes},
          .payload = std::span(stored.bytes).subspan(stored.type_bytes + stored.key_bytes),
          .key = {text + stored.type_bytes, stored.key_bytes},
          .age_ms = static_cast<std::uint32_t>(age_ms),
          .kind = stored.kind};
}

std::uint32_t QueuedMessages::take_key(std::string_view name) {
  if (const auto known = keys_by_name_.find(name); known != keys_by_name_.end()) {
    ++keys_[known->second].references;
    return known->second;
  }
  if (free_keys_.empty()) {
    free_keys_.push_back(static_cast<std::uint32_t>(keys_.size()));
    keys_.emplace_back();
  }
  const std::uint32_t key = free_keys_.back();
  free_keys_.pop_back();
  keys_[key] = {.name = std::string(name), .references = 1};
  keys_by_name_.emplace(name, key);
  return key;
}

void QueuedMessages::release_key(std::uint32_t key) {
  if (--keys_[key].references > 0) return;
  keys_by_name_.erase(keys_by_name_.find(keys_[key].name));
  free_keys_.push_back(key);
}

}  // namespace ringroom::agent_runtime
