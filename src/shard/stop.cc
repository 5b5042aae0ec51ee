// The end of a shard: no new connections, a close frame for every WebSocket, and a deadline for the
// peers that don't answer it.
#include "base/log.h"
#include "ringroom/close_code.h"
#include "shard/shard.h"

namespace ringroom::shard {

using connection::Record;
using connection::Stage;
using reactor::Op;
using reactor::Tag;

namespace {
constexpr std::uint64_t stop_patience_ns = 7'000'000'000;
}

void Shard::start_stopping() {
  if (stopping_) return;
  stopping_ = true;
  stop_deadline_ns_ = turn_began_ns_ + stop_patience_ns;
  for (std::uint32_t which = 0; which < 2; ++which) {
    if (accepting_[which]) ring_->cancel(Tag::of(Op::accept, which));
  }
  runtime_.for_each_room([](detail::Host& host) {
    host.close_all(number(CloseCode::going_away), "the server is shutting down");
  });
  for (std::uint32_t slot = 0; slot < hub_.slab().end(); ++slot) {
    Record& record = hub_.slab()[slot];
    if (record.stage != Stage::http) continue;
    const HttpSession* session = session_of(record);
    if (session != nullptr && session->answering) continue;  // closed behind its answer
    end_session(slot);
    hub_.close_file(slot);
  }
}

bool Shard::is_stopped() {
  if (!stopping_) return false;
  // Who is cut off may be put off before, until its room's file is open.
  const auto is_done = [this] { return !store_.is_writing() && !store_.is_opening(); };
  if (hub_.slab().live() == 0 || cut_off_) return is_done();
  if (turn_began_ns_ < stop_deadline_ns_) {
    // Wakes the shard for the deadline even if nobody says anything more.
    if (!ping_timer_.is_set()) {
      ping_timer_.kind = UINT8_MAX;
      timers_.set(ping_timer_, stop_deadline_ns_);
    }
    return false;
  }
  base::log_warn("shard " + std::to_string(index_) + ": " + std::to_string(hub_.slab().live()) +
                 " connections didn't close in time and are cut off");
  for (std::uint32_t slot = 0; slot < hub_.slab().end(); ++slot) {
    Record& record = hub_.slab()[slot];
    if (record.stage == Stage::free || record.stage == Stage::shutting) continue;
    if (record.stage == Stage::leaving) continue;
    connection_ended(slot, record);
  }
  ring_->submit_and_wait(0);
  cut_off_ = true;
  return is_done();
}

}  // namespace ringroom::shard
