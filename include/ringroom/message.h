// Message: one WebSocket message as an agent sees it, a view and no copy. On the room's shard;
// borrowed: the bytes are the receive buffer's and are gone when the callback returns.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace ringroom {

/// One message (RFC 6455 §5.6). Text is valid UTF-8. Copy the bytes to keep them.
/// Two words, so that it travels in registers.
class Message {
 public:
  Message(std::span<const std::byte> bytes, bool is_text)
      : data_(bytes.data()), size_and_kind_(bytes.size() << 1U | (is_text ? 1U : 0U)) {}

  bool is_text() const { return (size_and_kind_ & 1U) != 0; }
  bool is_binary() const { return !is_text(); }
  std::size_t size() const { return size_and_kind_ >> 1U; }
  std::span<const std::byte> bytes() const { return {data_, size()}; }
  /// The bytes as characters; of a binary message too.
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size()}; }

 private:
  const std::byte* data_;
  std::size_t size_and_kind_;  // the lowest bit: is it text?
};

}  // namespace ringroom
