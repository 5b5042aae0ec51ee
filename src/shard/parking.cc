// Parking: what a member of a sleeping room has. Its receive is cancelled; a poll on its socket,
// which holds no buffer, waits in its place. What the poll announces is received once: pings and
// automatic answers leave the agent asleep and the connection parks again, a whole message wakes.
#include "base/memory.h"
#include "shard/shard.h"

#include <cerrno>

namespace ringroom::shard {

using connection::Record;
using connection::Stage;
namespace flag = connection::flag;

namespace {
// So long after an agent fell asleep its memory, and that of those after it, goes back.
constexpr std::uint64_t tidy_after_ns = 2'000'000'000;
// What a burst may leave behind in the array of completions.
constexpr std::size_t completions_kept = 4096;
}  // namespace

bool Shard::is_asleep(const Record& record) {
  return record.room != connection::none && !runtime_.host(record.room).is_awake();
}

bool Shard::is_between_messages(const Record& record) {
  const connection::Active* active = hub_.active(record);
  return active == nullptr || (active->decoder.idle() && active->input.empty());
}

// Each member parks when its receive has ended; one that gets bytes first wakes the agent again.
void Shard::fell_asleep(std::uint32_t room) {
  if (!tidy_timer_.is_set()) {
    tidy_timer_.kind = UINT8_MAX;
    timers_.set(tidy_timer_, turn_began_ns_ + tidy_after_ns);
  }
  for (const connection::Member& member : runtime_.host(room).group().members) {
    const ConnectionRef ref = member.ref();
    Record& record = hub_.slab()[ref.index];
    if (!record.has(flag::parked | flag::receiving_once)) stop_reading(ref.index, record);
  }
}

void Shard::tidy() {
  const bool is_used_up = next_completion_ == completions_.size();
  if (is_used_up && completions_.capacity() > completions_kept) {
    std::vector<Completion>().swap(completions_);
    next_completion_ = 0;
  }
  base::give_back_unused_memory();
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
