#include "server/admin.h"

#include "base/values.h"
#include "server/metrics.h"
#include "shard/shard.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace ringroom::server {

namespace {

constexpr std::string_view index_page = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Ringroom admin</title>
<h1>Ringroom admin</h1>
<ul>
<li><a href="/healthz">/healthz</a>: 200 while the server serves
<li><a href="/metrics">/metrics</a>: numbers of every shard, for Prometheus
<li><a href="/rooms">/rooms</a>: the rooms, as JSON
<li>/sql: reads a room's database, for <code>ringroom sql</code>
<li>/record: for 'ringroom record'
</ul>
)";

json to_json(const shard::RoomInfo& room) {
  return {
      {"class", room.class_name},
      {"room", room.name},
      {"shard", room.shard},
      {"connections", room.connections},
      {"bytes_received", room.bytes_received},
      {"bytes_sent", room.bytes_sent},
      {"awake", room.awake},
  };
}

json to_json(const std::vector<shard::RoomInfo>& rooms) {
  json list = json::array();
  for (const shard::RoomInfo& room : rooms) list.push_back(to_json(room));
  return {{"rooms", std::move(list)}};
}

Response metrics(const shard::Fleet& fleet, const agent_runtime::AwakeCounts& awake) {
  std::vector<const shard::Stats*> shards;
  for (unsigned i = 0; i < fleet.shards(); ++i) shards.push_back(&fleet.stats(i));
  return Response::bytes(200, metrics_content_type, metrics_text(shards, awake));
}

// What `collect` gathers from all shards, made an answer by `describe`.
template <typename Whole, typename Describe>
Deferred<Response> answer_with(Deferred<Whole> collect, Describe describe) {
  Deferred<Response> answer;
  collect.then([answer, describe](const Whole& whole) { answer.resolve(describe(whole)); },
               [answer](const std::string& why) { answer.reject(why); });
  return answer;
}

// A page of another site can't send JSON without being asked first, which it isn't.
Deferred<Response> query_room(shard::Shard& shard, const Request& request) {
  if (request.method() != "POST") {
    return Response::text(405, "Method not allowed").set_header("Allow", "POST");
  }
  if (request.header("Content-Type") != "application/json") {
    return Response::text(415, "The body must be application/json");
  }
  const json body = json::parse(request.body(), nullptr, false);
  const auto text = [&body](const char* key) {
    const auto found = body.is_object() ? body.find(key) : body.end();
    return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  shard::RoomQuery query{text("class"), text("room"), text("query")};
  if (query.class_name.empty() || query.room.empty() || query.query.empty()) {
    return Response::text(400, R"(The body must be {"class": "…", "room": "…", "query": "…"})");
  }
  return shard.query_room(std::move(query));
}

// POST /record?class=&room=&length=&bytes= is answered by the recording when it is over, which
// DELETE brings about early.
Deferred<Response> record(shard::Shard& shard, const Request& request) {
  const std::size_t bytes_max = shard.fleet().config().record_bytes_max;
  if (bytes_max == 0) {
    return Response::text(403,
                          "Nothing is recorded here: start the server with --record-bytes-max");
  }
  const detail::AgentClassInfo* info = shard.find_class(request.query("class").value_or(""));
  const std::string room = request.query("room").value_or("");
  if (info == nullptr) return Response::text(404, "There is no such class");
  if (!shard::is_room_name(room)) return Response::text(400, "There is no room of that name");
  if (request.method() == "DELETE") {
    shard.stop_recording(*info, room);
    return Response::empty(204);
  }
  if (request.method() != "POST") {
    return Response::text(405, "Method not allowed").set_header("Allow", "POST, DELETE");
  }
  // As above: a page of another site can't begin one.
  if (request.header("Content-Type") != "application/json") {
    return Response::text(415, "The request must be application/json");
  }
  const auto length = base::parse_duration(request.query("length").value_or("10s"));
  if (!length.value) return Response::text(400, "length " + length.error);
  const auto bytes = base::parse_size(request.query("bytes").value_or(std::to_string(bytes_max)));
  if (!bytes.value) return Response::text(400, "bytes " + bytes.error);
  return shard.record(*info, room, std::min(*bytes.value, bytes_max), *length.value);
}

}  // namespace

Deferred<Response> Admin::handle(shard::Shard& shard, const Request& request) {
  const std::string_view path = request.path();
  if (path == "/sql") return query_room(shard, request);
  if (path == "/record") return record(shard, request);
  if (path != "/" && path != "/healthz" && path != "/metrics" && path != "/rooms") {
    return Response::text(404, "Not found");
  }
  if (request.method() != "GET" && request.method() != "HEAD") {
    return Response::text(405, "Method not allowed").set_header("Allow", "GET, HEAD");
  }
  if (path == "/healthz") return Response::text("ok");
  if (path == "/metrics") {
    return answer_with(shard.collect_awake(),
                       [fleet = fleet_](const auto& awake) { return metrics(*fleet, awake); });
  }
  if (path == "/rooms") {
    return answer_with(shard.collect_rooms(),
                       [](const auto& rooms) { return Response::json(to_json(rooms)); });
  }
  return Response::html(std::string(index_page));
}

}  // namespace ringroom::server
