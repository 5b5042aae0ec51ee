// Queries from outside: somebody at the admin address reads a room's database, at its home. What
// was read is told when it is durable, as the room's own words are.
#include "shard/letters.h"
#include "shard/shard.h"
#include "store/names.h"
#include "store/sql_json.h"

#include <utility>

namespace ringroom::shard {

namespace {

Response failure(int status, const std::string& why) {
  return Response::json(status, {{"error", why}});
}

}  // namespace

Deferred<Response> Shard::query_room(RoomQuery query) {
  // A class that is gone still has its rooms.
  const detail::AgentClassInfo* info = router_.find_class(query.class_name);
  if (info != nullptr) query.class_name = info->name;
  const unsigned home = fleet_.home_of(query.class_name, query.room);
  const std::uint64_t ticket = next_ticket_++;
  const Deferred<Response> answer = asked_[ticket];
  post(home, std::make_unique<QueryLetter>(index_, ticket, std::move(query)));
  return answer;
}

void Shard::take_query(unsigned from, std::uint64_t ticket, const RoomQuery& query) {
  const auto answer = [&](Response response) {
    post(from, std::make_unique<ResponseLetter>(ticket, std::move(response)));
  };
  const store::Identity identity{.class_name = query.class_name, .room = query.room};
  if (store_.find(identity) == store::Found::opening) {
    const auto again = [this, from, ticket, query] { take_query(from, ticket, query); };
    return runtime_.when_opened(store::database_name(query.class_name, query.room), again);
  }
  try {
    auto reading = store_.read(identity, query.query);
    if (!reading) return answer(failure(404, "nothing is stored of this room"));
    Response response = Response::json(store::to_json(reading->rows));
    if (reading->batch <= store_.durable()) return answer(std::move(response));
    readings_.push_back({reading->batch, from, ticket, std::move(response)});
  } catch (const SqlError& error) {
    answer(failure(400, error.what()));
  }
}

// `lost`: the first batch that failed in this turn, if one did.
void Shard::tell_readings(std::optional<std::uint64_t> lost) {
  if (readings_.empty()) return;
  const std::uint64_t durable = store_.durable();
  // An answer may let in the next query.
  for (ReadRoom& read : std::exchange(readings_, {})) {
    const bool is_lost = lost && read.batch >= *lost;
    if (!is_lost && read.batch > durable) {
      readings_.push_back(std::move(read));
      continue;
    }
    post(read.from, std::make_unique<ResponseLetter>(
                        read.ticket, is_lost ? failure(500, "the room's storage failed")
                                             : std::move(read.response)));
  }
}

}  // namespace ringroom::shard
