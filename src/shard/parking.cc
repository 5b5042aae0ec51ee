// Parking: what a member of a sleeping room has. Its receive is cancelled; a poll on its socket,
// which holds no buffer, waits in its place. What the poll announces is received once: pings and
// automatic answers leave the agent asleep and the connection parks again, a whole message wakes.
#include "shard/shard.h"

#include <cerrno>

namespace ringroom::shard {

using connection::Record;
using connection::Stage;
namespace flag = connection::flag;

bool Shard::is_asleep(const Record& record) {
  return record.room != connection::none && !runtime_.host(record.room).is_awake();
}

bool Shard::is_between_messages(const Record& record) {
  const connection::Active* active = hub_.active(record);
  return active == nullptr || (active->decoder.idle() && active->input.empty());
}

// Each member parks when its receive has ended; one that gets bytes first wakes the agent again.
void Shard::fell_asleep(std::uint32_t room) {
  for (const connection::Member& member : runtime_.host(room).group().members) {
    const ConnectionRef ref = member.ref();
    Record& record = hub_.slab()[ref.index];
    if (!record.has(flag::parked | flag::receiving_once)) stop_reading(ref.index, record);
  }
}

void Shard::on_poll(const Completion& completion) {
  const std::uint32_t slot = completion.tag.slot();
  Record* record = hub_.find(slot, completion.tag.generation());
  if (record == nullptr || record->stage == Stage::shutting) return;
  hub_.unpark(*record);
  if (completion.result == -ECANCELED) {
    if (wants_bytes(*record)) arm(slot, *record);
  } else if (completion.result < 0) {
    connection_ended(slot, *record);
  } else {
    record->set(flag::receiving | flag::receiving_once);
    ring_->receive_ready(slot, hub_.receive_tag(slot, *record));
  }
}

}  // namespace ringroom::shard
