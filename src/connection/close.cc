// How a connection ends: our close frame, the last bytes, the descriptor, the record.
#include "codec/ws/close.h"

#include "base/assert.h"
#include "connection/hub.h"

#include <algorithm>

namespace ringroom::connection {

using reactor::Op;
using reactor::Tag;

void Hub::send_close(std::uint32_t slot,
                     std::optional<std::uint16_t> code,
                     std::string_view reason) {
  if (slab_[slot].stage != Stage::open) return;
  mark_closing(slot);
  queue_close_frame(slot, code, reason);
  set_deadline(slot, Deadline::close,
               ring_.now_ns() + static_cast<std::uint64_t>(options_.close_timeout.count()));
}

void Hub::mark_closing(std::uint32_t slot) {
  Record& record = slab_[slot];
  if (record.stage != Stage::open) return;
  catch_up(record, activate(record));
  record.stage = Stage::closing;
  --groups_[record.room]->open;
}

void Hub::queue_close_frame(std::uint32_t slot,
                            std::optional<std::uint16_t> code,
                            std::string_view reason) {
  Record& record = slab_[slot];
  ASSERT(record.stage == Stage::closing);
  std::byte payload[codec::ws::control_payload_bytes_max];
  const std::size_t bytes = codec::ws::encode_close_payload(payload, code, reason);
  send_frame(slot, record, activate(record), {codec::ws::Opcode::close, false}, {payload, bytes});
}

void Hub::finish(std::uint32_t slot, bool linger) {
  Record& record = slab_[slot];
  if (record.stage == Stage::finishing || record.stage == Stage::shutting) return;
  ASSERT(record.room == none);
  record.stage = Stage::finishing;
  // Who was paused is read from again, to see the peer's end; unless that has been seen.
  record.clear(flag::paused);
  if (linger && !record.has(flag::ended)) {
    record.set(flag::shut_after_output);
    if (!record.has(flag::receiving)) drained_.push_back({slot, record.generation});
  }
  set_deadline(slot, Deadline::close,
               ring_.now_ns() + static_cast<std::uint64_t>(options_.close_timeout.count()));
  finishing_.push_back({slot, record.generation});
  finish_is_fresh_ = true;
}

void Hub::settle_finishing() {
  std::erase_if(finishing_, [this](SlotRef ref) {
    Record* record = slab_.find(ref.slot, ref.generation);
    if (record == nullptr || record->stage != Stage::finishing) return true;
    const Active* active = this->active(*record);
    if (active != nullptr && !(active->segments.empty() && active->backlog.empty())) return false;
    if (!record->has(flag::shut_after_output)) {
      close_file(ref.slot);
      return true;
    }
    record->stage = Stage::lingering;
    record->is_shutting_down = 1;
    ring_.shut_down(ref.slot, Tag::of(Op::shut_down, ref.slot, record->generation));
    set_deadline(ref.slot, Deadline::linger,
                 ring_.now_ns() + static_cast<std::uint64_t>(options_.close_timeout.count()));
    return true;
  });
}

void Hub::close_file(std::uint32_t slot) {
  Record& record = slab_[slot];
  if (record.stage == Stage::shutting) return;
  ASSERT(record.room == none);
  record.stage = Stage::shutting;
  Tag requests[2];
  std::size_t count = 0;
  if (record.has(flag::receiving)) {
    requests[count++] = receive_tag(slot, record);
    if (record.has(flag::parked)) unpark(record);
  }
  if (record.active != none) {
    Active& active = actives_[record.active];
    timers_.cancel(active.timer);
    ASSERT(active.session == none);
    // The kernel may still read the backlog until that send has completed.
    if (active.backlog.in_flight) {
      requests[count++] = Tag::of(Op::send_rest, slot, record.generation);
      orphans_.push_back({{slot, record.generation}, std::move(active.backlog.rest)});
    }
    active = Active{};
    release_active(record);
  }
  for (std::uint32_t Record::*blob : {&Record::details, &Record::state, &Record::attachment}) {
    if (record.*blob != none) blobs_.free(record.*blob);
    record.*blob = none;
  }
  if (record.is_shutting_down != 0) return;  // closed when that is done
  ring_.close(slot, {requests, count}, Tag::of(Op::close, slot, record.generation));
}

// A worker of the kernel does it, and looks the descriptor up when it gets there (shutdown is
// always asynchronous, io_uring/net.c). Were it closed before, that could be another connection's
// by then.
void Hub::on_shut_down(const reactor::Completion& completion) {
  const std::uint32_t slot = completion.tag.slot();
  Record* record = slab_.find(slot, completion.tag.generation());
  ASSERT(record != nullptr && record->is_shutting_down != 0);
  record->is_shutting_down = 0;
  if (record->stage != Stage::shutting) return;
  const Tag receive = receive_tag(slot, *record);
  const std::size_t count = record->has(flag::receiving) ? 1 : 0;
  ring_.close(slot, {&receive, count}, Tag::of(Op::close, slot, record->generation));
}

void Hub::on_file_closed(const reactor::Completion& completion) {
  const std::uint32_t slot = completion.tag.slot();
  Record* record = slab_.find(slot, completion.tag.generation());
  ASSERT(record != nullptr && record->stage == Stage::shutting);
  slab_.free(slot);
}

}  // namespace ringroom::connection
