// Message: one WebSocket message as an agent sees it, a view and no copy. On the room's shard;
// borrowed: the bytes are the receive buffer's and are gone when the callback returns.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace ringroom {

/// One message (RFC 6455 §5.6). Text is valid UTF-8. Copy the bytes to keep them.
class Message {
 public:
  Message(std::span<const std::byte> bytes, bool is_text) : bytes_(bytes), is_text_(is_text) {}

  bool is_text() const { return is_text_; }
  bool is_binary() const { return !is_text_; }
  std::size_t size() const { return bytes_.size(); }
  std::span<const std::byte> bytes() const { return bytes_; }
  /// The bytes as characters; of a binary message too.
  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

 private:
  std::span<const std::byte> bytes_;
  bool is_text_;
};

}  // namespace ringroom
