// Batches: many logical messages that come or go in one frame, an envelope (proto/README.md). What
// an agent sees of one that came is a view into the receive buffer: on the room's shard, borrowed
// until the callback returns. Bounded by limits::envelope_messages_max.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringroom {

namespace detail {
struct BatchAccess;
}

/// How the envelopes of a connection are written.
enum class BatchFormat : std::uint8_t {
  none,         ///< one message a frame
  flatbuffers,  ///< binary messages: ringroom.batch.fb.v1, ?batch=fb
  json_text,    ///< text messages: ringroom.batch.json.v1, ?batch=json
};

/// What the payload of a logical message is. Text and JSON are valid UTF-8.
enum class PayloadKind : std::uint8_t { bytes, text, json_value };

/// One logical message, as it stands in an envelope. Views: borrowed as the envelope is.
struct BatchedMessage {
  std::string_view type{};  ///< what the message is about; at most 255 bytes of UTF-8
  std::span<const std::byte> payload{};
  std::string_view key{};    ///< of what it is the newest value; empty: of nothing
  std::uint32_t age_ms = 0;  ///< how long it had waited when the envelope was made
  PayloadKind kind = PayloadKind::bytes;

  std::string_view text() const {
    return {reinterpret_cast<const char*>(payload.data()), payload.size()};
  }
};

/// The messages of one envelope, verified as a whole before anybody sees it, and read one by one
/// where they lie: a range of BatchedMessage by value.
class Batch {
 public:
  class Iterator {
   public:
    using value_type = BatchedMessage;
    using difference_type = std::ptrdiff_t;
    BatchedMessage operator*() const { return (*batch_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    friend bool operator==(const Iterator& left, const Iterator& right) {
      return left.index_ == right.index_;
    }

   private:
    friend class Batch;
    Iterator(const Batch* batch, std::size_t index) : batch_(batch), index_(index) {}
    const Batch* batch_;
    std::size_t index_;
  };

  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// The message at `index`, less than size().
  BatchedMessage operator[](std::size_t index) const;

  /// When the sender made the envelope, in its milliseconds since 1970; 0 if it didn't say.
  std::int64_t timestamp_ms() const { return timestamp_ms_; }
  /// Grows from envelope to envelope of a sender; 0 if it doesn't count.
  std::uint64_t sequence() const { return sequence_; }
  /// So many messages the sender dropped before these.
  std::uint32_t missed() const { return missed_; }

 private:
  friend struct detail::BatchAccess;
  const void* messages_ = nullptr;  // a vector of tables, or an array of BatchedMessage
  std::size_t size_ = 0;
  std::int64_t timestamp_ms_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint32_t missed_ = 0;
  bool is_flat_ = false;
};

}  // namespace ringroom
