// Every limit that users can meet, in one place. Values that are options of the server are named
// here by their defaults; the others are fixed. Constants only: any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ringroom::limits {

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

/// Tags of one connection, its id included (agents-wire §2).
inline constexpr std::size_t tags_max = 10;
/// Bytes of UTF-8 of one tag, and so of an id too.
inline constexpr std::size_t tag_bytes_max = 256;
/// Bytes of one connection's state, encoded as JSON.
inline constexpr std::size_t state_bytes_max = 16 * KiB;
/// Bytes of the request, and of the response, of set_auto_response (agents-wire §9).
inline constexpr std::size_t auto_response_bytes_max = 2 * KiB;
/// Milliseconds that set_event_timeout takes: 7 days (agents-wire §9).
inline constexpr std::int64_t event_timeout_ms_max = 604'800'000;
/// Bytes of a room's name, percent-encoded as it stands in the URL.
inline constexpr std::size_t room_name_bytes_max = 1024;
/// Bytes of UTF-8 of a close reason (RFC 6455 §5.5: 125 less the code).
inline constexpr std::size_t close_reason_bytes_max = 123;
/// Bytes of a request's line and headers together.
inline constexpr std::size_t request_head_bytes_max = 16 * KiB;
/// Bytes of one message after inflation; default of --message-bytes-max.
inline constexpr std::size_t message_bytes_max_default = 4 * MiB;
/// Bytes of one attachment; default of --attachment-bytes-max, and the most it can be raised to.
inline constexpr std::size_t attachment_bytes_max_default = 2 * KiB;
inline constexpr std::size_t attachment_bytes_max_limit = 16 * KiB;
/// Bytes that may wait for one connection; default of --outbox-bytes-max.
inline constexpr std::size_t outbox_bytes_max_default = 1 * MiB;
/// Bytes of a request's body; default of --body-bytes-max.
inline constexpr std::size_t body_bytes_max_default = 8 * MiB;
/// Connections of one room; default of --room-connections-max.
inline constexpr std::size_t room_connections_max_default = 32768;
/// Bytes of one room's database; default of --database-bytes-max.
inline constexpr std::size_t database_bytes_max_default = 10 * 1024 * MiB;
/// Databases that one shard has open at a time; default of --databases-open-max.
inline constexpr std::size_t databases_open_max_default = 2000;
/// Messages of one envelope, received or sent (proto/README.md).
inline constexpr std::size_t envelope_messages_max = 16'384;
/// Bytes of UTF-8 of a batched message's type, and of its key.
inline constexpr std::size_t envelope_name_bytes_max = 255;
/// Answers of other agents that one agent may wait for, and all agents of a shard together.
inline constexpr std::size_t calls_open_max = 1024;
inline constexpr std::size_t shard_calls_open_max = 64 * KiB;
/// How deep agents may ask each other.
inline constexpr std::size_t call_depth_max = 16;
/// What may lie between the runs of Agent::schedule_every.
inline constexpr std::chrono::seconds schedule_interval_max{30 * 86'400};
/// Ticks a second that AgentOptions::tick_hz may ask for.
inline constexpr double tick_hz_max = 1000;

}  // namespace ringroom::limits
