// Parking: what a member of a sleeping room has. Its receive is cancelled; a poll on its socket,
// which holds no buffer, waits in its place. What the poll announces is received once: pings and
// automatic answers leave the agent asleep and the connection parks again, a whole message wakes.
// A room of thousands parks over many turns, so that no other room waits for it.
#include "base/memory.h"
#include "shard/shard.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringroom::shard {

using connection::Record;
using connection::Stage;
namespace flag = connection::flag;

namespace {
// So long after an agent fell asleep its memory, and that of those after it, goes back.
constexpr std::uint64_t tidy_after_ns = 2'000'000'000;
// What a burst may leave behind in the array of completions.
constexpr std::size_t completions_kept = 1024;
// So many members are looked at in a turn.
constexpr std::size_t parked_each_turn = 128;
}  // namespace

bool Shard::is_asleep(const Record& record) {
  return record.room != connection::none && !runtime_.host(record.room).is_awake();
}

bool Shard::is_between_messages(const Record& record) {
  const connection::Active* active = hub_.active(record);
  return active == nullptr || (active->decoder.idle() && active->input.empty());
}

void Shard::fell_asleep(std::uint32_t room) {
  if (tidy_timer_.is_set()) {
    tidy_again_ = true;
  } else {
    tidy_later();
  }
  going_to_bed_.push_back({room, runtime_.host(room).group().members.size()});
}

// Each member parks when its receive has ended; one that gets bytes first wakes the agent again.
// From the last to the first, since a member that leaves gives its place to the last one.
void Shard::put_to_bed() {
  std::size_t budget = parked_each_turn;
  while (budget > 0 && !going_to_bed_.empty()) {
    Bedtime& next = going_to_bed_.back();
    if (!runtime_.exists(next.room) || runtime_.host(next.room).is_awake()) {
      going_to_bed_.pop_back();
      continue;
    }
    const auto& members = runtime_.host(next.room).group().members;
    std::size_t left = std::min(next.members_left, members.size());
    for (; left > 0 && budget > 0; --left, --budget) {
      const ConnectionRef ref = members[left - 1].ref();
      Record& record = hub_.slab()[ref.index];
      if (!record.has(flag::parked | flag::receiving_once)) stop_reading(ref.index, record);
    }
    next.members_left = left;
    if (left == 0) going_to_bed_.pop_back();
  }
}

void Shard::tidy_later() {
  tidy_timer_.kind = UINT8_MAX;
  timers_.set(tidy_timer_, turn_began_ns_ + tidy_after_ns);
}

// Once more after what fell asleep meanwhile: its members park in the turns that follow.
void Shard::tidy() {
  if (std::exchange(tidy_again_, false)) tidy_later();
  const bool is_used_up = next_completion_ == completions_.size();
  if (is_used_up && completions_.capacity() > completions_kept) {
    std::vector<Completion>().swap(completions_);
    next_completion_ = 0;
  }
  going_to_bed_.shrink_to_fit();
  timers_.trim();
  runtime_.trim();
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
