// Message: one WebSocket message as an agent sees it, a view and no copy. On the room's shard;
// borrowed: the bytes are the receive buffer's and are gone when the callback returns.
#pragma once

#include "ringroom/batch.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringroom {

/// One message (RFC 6455 §5.6), or one logical message of an envelope. Text is valid UTF-8. Copy
/// the bytes to keep them. Two words, so that it travels in registers.
class Message {
 public:
  Message(std::span<const std::byte> bytes, bool is_text)
      : data_(bytes.data()), size_and_kind_(bytes.size() << kind_bits | (is_text ? 1U : 0U)) {}
  /// Borrows `message`, too.
  explicit Message(const BatchedMessage& message)
      : data_(&message),
        size_and_kind_(message.payload.size() << kind_bits | batched_bit |
                       static_cast<std::size_t>(message.kind)) {}

  bool is_text() const { return kind() != PayloadKind::bytes; }
  bool is_binary() const { return !is_text(); }
  PayloadKind kind() const { return static_cast<PayloadKind>(size_and_kind_ & kind_mask); }
  std::size_t size() const { return size_and_kind_ >> kind_bits; }
  std::span<const std::byte> bytes() const { return {data(), size()}; }
  /// The bytes as characters; of a binary message too.
  std::string_view text() const { return {reinterpret_cast<const char*>(data()), size()}; }

  /// It came in an envelope.
  bool is_batched() const { return (size_and_kind_ & batched_bit) != 0; }
  /// What an envelope says of it; empty or 0 for a message that came by itself.
  std::string_view type() const { return is_batched() ? batched().type : std::string_view(); }
  std::string_view key() const { return is_batched() ? batched().key : std::string_view(); }
  std::uint32_t age_ms() const { return is_batched() ? batched().age_ms : 0; }

 private:
  static constexpr unsigned kind_bits = 3;
  static constexpr std::size_t kind_mask = 3;
  static constexpr std::size_t batched_bit = 4;

  const BatchedMessage& batched() const { return *static_cast<const BatchedMessage*>(data_); }
  const std::byte* data() const {
    return is_batched() ? batched().payload.data() : static_cast<const std::byte*>(data_);
  }

  const void* data_;           // the bytes, or the BatchedMessage
  std::size_t size_and_kind_;  // the lowest bits: what it is
};

}  // namespace ringroom
