// Config: what all shards are told at the start. Made by the server, never changed while a shard
// runs, so any thread reads it.
#pragma once

#include "ringroom/agent_class.h"
#include "ringroom/json.h"
#include "ringroom/route.h"
#include "ringroom/server.h"
#include "shard/request_handler.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::shard {

/// Entries of a shard's table that stay free: accepting into a full one loses the connection, and a
/// burst may be accepted at once before the shard can say stop.
constexpr std::uint32_t files_reserve(std::uint32_t files_max) {
  return files_max / 16 > 64 ? files_max / 16 : 64;
}

/// The URL segment of a class: chat-room for ChatRoom.
std::string url_segment(std::string_view class_name);

/// A prefix or a route's path as the router compares it; nullopt if no URL has such a path.
std::optional<std::string> url_path(std::string_view path);

struct Config {
  std::vector<detail::AgentClassInfo> classes;
  std::map<std::string, std::string> env;
  std::map<std::string, json> props;
  std::vector<detail::RouteInfo> routes;         // with paths as url_path() gives them
  std::vector<std::string> prefixes{"/agents"};  // the same
  std::vector<std::string> allow_origins;        // as browsers write them; none: all
  std::optional<std::chrono::milliseconds> hibernate_after;
  std::chrono::milliseconds handshake_timeout{};
  std::chrono::milliseconds close_timeout{std::chrono::seconds(5)};
  std::chrono::milliseconds keep_alive_timeout{std::chrono::seconds(75)};
  std::chrono::milliseconds ping_every{};
  std::chrono::nanoseconds turn_budget{std::chrono::microseconds(200)};
  std::chrono::milliseconds slow_callback{100};
  std::size_t message_bytes_max = 0;
  std::size_t attachment_bytes_max = 0;
  std::size_t outbox_bytes_max = 0;
  std::size_t body_bytes_max = 0;
  std::size_t room_connections_max = 0;
  std::size_t database_bytes_max = limits::database_bytes_max_default;
  std::size_t databases_open_max = limits::databases_open_max_default;
  std::size_t room_files_max = limits::databases_open_max_default;  ///< descriptors of a shard
  std::chrono::milliseconds query_time_max{std::chrono::seconds(5)};
  std::size_t record_bytes_max = 0;  // of one recording; 0: nothing is recorded
  std::uint32_t files_max = 0;
  std::optional<std::vector<std::string>> ring_features;
  /// Where rooms are stored; ":memory:": nowhere.
  std::string data = ":memory:";
  Durability durability = Durability::strict;
  /// Answers what no route and no prefix knows on the main listeners.
  RequestHandler* site = nullptr;
  /// Answers everything on the admin listener, which shard 0 serves.
  RequestHandler* admin = nullptr;
};

}  // namespace ringroom::shard
