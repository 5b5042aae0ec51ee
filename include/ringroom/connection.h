// Connection: one client's WebSocket to one agent, as the agent sees it. On the room's shard only.
// Owned by the room; a reference given to a callback is good until that callback returns. To keep
// a connection, keep its ConnectionRef or its id. What waits to be sent is bounded by
// --outbox-bytes-max, its state by 16 KiB, its tags by 10 of 256 bytes.
#pragma once

#include "ringroom/agent_options.h"
#include "ringroom/close_code.h"
#include "ringroom/json.h"
#include "ringroom/message.h"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ringroom {

class Connection;

namespace detail {

class Host;
struct ConnectionAccess;

template <typename T>
concept NotAnUpdate = !std::invocable<T, json>;
template <typename T>
concept TriviallyCopyable = std::is_trivially_copyable_v<T>;
// Text and bytes are attached as they are, not as the views that they come in.
template <typename T>
concept PlainValue = TriviallyCopyable<T> && !std::is_convertible_v<T, std::string_view> &&
                     !std::is_convertible_v<T, std::span<const std::byte>>;

// How a room keeps connection.local<T>() of a type it doesn't know: as bytes with three functions.
struct LocalType {
  std::size_t bytes;
  std::size_t alignment;
  void (*construct)(void* at);
  void (*destroy)(void* at);
  void (*move)(void* to, void* from);
};

template <typename T>
inline const LocalType local_type = {
    sizeof(T),
    alignof(T),
    [](void* at) { ::new (at) T{}; },
    [](void* at) { static_cast<T*>(at)->~T(); },
    [](void* to, void* from) { ::new (to) T(static_cast<T&&>(*static_cast<T*>(from))); },
};

}  // namespace detail

/// What became of a send.
enum class SendResult : std::uint8_t {
  queued,   ///< will leave with this turn's send, or as soon as the client reads again
  dropped,  ///< the outbox is full and the class drops (AgentOptions::outbox_full)
  closed,   ///< the connection is closed or closing; nothing was queued
};

/// RFC 6455 states with the numbers that browsers use.
enum class ReadyState : std::uint8_t { connecting = 0, open = 1, closing = 2, closed = 3 };

/// Names a connection for as long as anybody wants: 8 bytes, trivially copyable, harmless when
/// stale. Resolved by Agent::connection(ref); a ref of another shard's room never resolves.
struct ConnectionRef {
  std::uint32_t index = UINT32_MAX;
  std::uint32_t generation = 0;
  friend bool operator==(const ConnectionRef&, const ConnectionRef&) = default;
};

class Connection {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ConnectionRef ref() const { return {slot_, generation_}; }
  /// `_pk` of the URL, else 21 random characters. Borrowed as the connection is.
  std::string_view id() const;
  /// The complete URL of the upgrade request as the server saw it, http://…
  std::string_view uri() const;
  /// The id, then what connection_tags returned. Borrowed as the connection is.
  std::vector<std::string_view> tags() const;
  /// The room's name.
  std::string_view server() const;
  ReadyState ready_state() const;

  /// Sends a text message. The bytes are copied; no validation (send valid UTF-8).
  SendResult send(std::string_view text);
  SendResult send(const char* text) { return send(std::string_view(text)); }
  SendResult send(const std::string& text) { return send(std::string_view(text)); }
  /// Sends a binary message. The bytes are copied.
  SendResult send(std::span<const std::byte> bytes);
  /// Sends a message on, text as text and binary as binary; a large one that is being delivered
  /// leaves from the receive buffer itself, without a copy.
  SendResult send(const Message& message);
  /// Sends JSON as a text message. Only for exactly `json`, so that nothing becomes JSON unseen.
  template <std::same_as<json> J>
  SendResult send(const J& value) {
    return send(std::string_view(value.dump()));
  }

  /// Queues a logical message for the next envelope, which leaves after AgentOptions::batching's
  /// time, messages or bytes, before anything else is sent to this client, or at flush(). To a
  /// connection without envelopes the payload is sent at once, as a message of its own. The bytes
  /// are copied. A message with a `key` replaces the one of that key that is still queued; others
  /// are never dropped unseen: if the client doesn't read and the queue is full (at
  /// --outbox-bytes-max), the class's outbox_full decides, and a gap marker tells the client how
  /// many it missed. Throws std::length_error for a type or key above 255 bytes.
  SendResult queue(std::string_view type, std::string_view text, std::string_view key = {});
  SendResult queue(std::string_view type, const char* text, std::string_view key = {}) {
    return queue(type, std::string_view(text), key);
  }
  SendResult queue(std::string_view type, const std::string& text, std::string_view key = {}) {
    return queue(type, std::string_view(text), key);
  }
  SendResult queue(std::string_view type,
                   std::span<const std::byte> bytes,
                   std::string_view key = {});
  SendResult queue(std::string_view type, const Message& message, std::string_view key = {});
  template <std::same_as<json> J>
  SendResult queue(std::string_view type, const J& value, std::string_view key = {}) {
    return queue_json(type, value.dump(), key);
  }
  /// Sends what is queued, now.
  void flush();
  /// How the envelopes of this connection are written; none: it gets one message a frame.
  BatchFormat batch_format() const;
  /// Replaces the class's time, messages and bytes for this connection, until the agent sleeps. The
  /// format stays what was negotiated.
  void set_batching(const Batching& limits);

  /// Starts the close handshake (RFC 6455 §7.1.2). Without a code the frame is empty. Throws
  /// std::invalid_argument for a code that may not be sent (allowed: 1000–4999 but 1004–1006 and
  /// 1015–2999) or a reason of more than 123 bytes. on_close follows when the client answers.
  void close();
  void close(CloseCode code, std::string_view reason = {});
  void close(std::uint16_t code, std::string_view reason = {}) { close(close_code(code), reason); }

  /// Bytes queued for this client that the kernel has not taken yet.
  std::size_t buffered_bytes() const;

  /// The connection's state: null until set. Kept as JSON text; each call parses it.
  json state() const;
  template <typename T>
  std::optional<T> state() const {
    json value = state();
    if (value.is_null()) return std::nullopt;
    return value.get<T>();
  }
  /// Replaces the state. Throws std::length_error above 16,384 bytes; the old state stays then.
  template <detail::NotAnUpdate T>
  void set_state(const T& value) {
    set_state_json(json(value));
  }
  /// Replaces the state by update(old state).
  template <std::invocable<json> F>
  void set_state(F&& update) {
    set_state_json(json(update(state())));
  }

  /// The agent's own bytes kept with the connection; empty if never set. Borrowed until the next
  /// set_attachment or the end of the callback.
  std::span<const std::byte> attachment() const;
  template <detail::TriviallyCopyable T>
  std::optional<T> attachment() const {
    std::span<const std::byte> bytes = attachment();
    if (bytes.size() != sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }
  /// Replaces the attachment. Throws std::length_error above --attachment-bytes-max.
  void set_attachment(std::span<const std::byte> bytes);
  template <detail::PlainValue T>
  void set_attachment(const T& value) {
    set_attachment(std::as_bytes(std::span(&value, 1)));
  }
  template <std::same_as<json> J>
  void set_attachment(const J& value) {
    const std::string text = value.dump();
    set_attachment(std::as_bytes(std::span(text)));
  }

  /// A value of the agent's for this connection, made by T{} at first use, in one dense array for
  /// the room: for a game loop over all members. Lost at hibernation. One T per room; asking for
  /// another throws std::logic_error. The reference is good until the callback returns.
  template <typename T>
  T& local() {
    return *static_cast<T*>(local_value(detail::local_type<T>));
  }

 protected:
  // The room's member is a Connection; only it makes and moves them.
  Connection(detail::Host* host, std::uint32_t slot, std::uint32_t generation)
      : host_(host), slot_(slot), generation_(generation) {}
  Connection(Connection&&) = default;
  Connection& operator=(Connection&&) = default;
  ~Connection() = default;

 private:
  friend struct detail::ConnectionAccess;

  void set_state_json(const json& value);
  SendResult queue_json(std::string_view type, std::string_view text, std::string_view key);
  void* local_value(const detail::LocalType& type);

  detail::Host* host_;
  std::uint32_t slot_;
  std::uint32_t generation_;
  // How far into the room's broadcasts of which turn this member has been served.
  std::uint32_t log_cursor_ = 0;
  std::uint32_t log_turn_ = 0;
  std::uint32_t joined_ = 0;  // a count of the shard's, modulo 2^32
};

}  // namespace ringroom
