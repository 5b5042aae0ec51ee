// QueuedMessages: the logical messages that a room's queues hold, each once however many members
// wait for it, and their keys as numbers. Owned by the room's Queues, on its shard. Bounded by the
// queues that refer to it, which outbox_bytes_max bounds.
#pragma once

#include "ringroom/batch.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ringroom::agent_runtime {

class QueuedMessages {
 public:
  using Id = std::uint32_t;
  static constexpr std::uint32_t no_key = UINT32_MAX;

  /// Copies a message. Nobody refers to it yet: release() what wasn't retained.
  Id add(const BatchedMessage& message, std::int64_t now_ms);
  void retain(Id id) { ++messages_[id].references; }
  void release(Id id);

  /// As it would stand in an envelope now. Borrowed until the next add().
  BatchedMessage view(Id id, std::int64_t now_ms) const;
  /// What it counts in a queue.
  std::size_t bytes(Id id) const { return messages_[id].bytes.size() + bytes_beside; }
  /// Equal for messages of equal keys that are here together; no_key of a reliable one.
  std::uint32_t key(Id id) const { return messages_[id].key; }
  /// More than any key.
  std::size_t keys_end() const { return keys_.size(); }

 private:
  static constexpr std::size_t bytes_beside = 32;  // what a message takes beside its own bytes
  static constexpr std::size_t bytes_kept = 4096;  // the buffer of one that is gone, for the next

  struct Stored {
    std::vector<std::byte> bytes;  // type, key, payload
    std::uint32_t references = 0;
    std::uint32_t key = no_key;
    std::int64_t queued_ms = 0;
    std::uint8_t type_bytes = 0;
    std::uint8_t key_bytes = 0;
    PayloadKind kind = PayloadKind::bytes;
  };
  struct Key {
    std::string name;
    std::uint32_t references = 0;
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  std::uint32_t take_key(std::string_view name);
  void release_key(std::uint32_t key);

  std::vector<Stored> messages_;
  std::vector<Id> free_;
  std::vector<Key> keys_;
  std::vector<std::uint32_t> free_keys_;
  std::unordered_map<std::string, std::uint32_t, NameHash, std::equal_to<>> keys_by_name_;
};

}  // namespace ringroom::agent_runtime
