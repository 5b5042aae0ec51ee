// The output gate: what a room says after a write of its own waits until that write is durable. It
// is copied to the end of its connection's backlog, up to marks that tell for which batch. Many
// gates open with one batch: what they held leaves over several turns, so that other rooms don't
// notice.
#include "base/assert.h"
#include "connection/hub.h"
#include "ringroom/close_code.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace ringroom::connection {

// Where bytes go that come behind others: behind the kernel's, or behind the gate.
std::byte* Hub::grow_backlog(std::uint32_t slot,
                             const Record& record,
                             Backlog& backlog,
                             std::size_t bytes) {
  const Group* group = record.room == none ? nullptr : groups_[record.room];
  const bool gated = group != nullptr && is_gated(*group);
  std::vector<std::byte>& end = gated || !backlog.held.empty() ? backlog.held : backlog.waiting;
  const std::size_t at = end.size();
  if (&end == &backlog.held) {
    // What comes behind something held waits at least as long.
    const std::uint64_t before = backlog.marks.empty() ? 0 : backlog.marks.back().batch;
    const std::uint64_t batch = gated ? std::max(group->gate, before) : before;
    if (at == 0) held_.push_back({{slot, record.generation}, record.room});
    if (batch != before) backlog.marks.push_back({batch, 0});
    backlog.marks.back().end = at + bytes;
    // A broadcast's part isn't asked for room before; whose outbox overflows so is cut off.
    const std::size_t bytes_max = 2 * options_.outbox_bytes_max;
    if (record.room != none && at <= bytes_max && at + bytes > bytes_max) {
      failed_.push_back({slot, record.generation});
    }
  }
  end.resize(at + bytes);
  return end.data() + at;
}

void Hub::hold(std::uint32_t slot, Record& record, Active& active) {
  const std::size_t bytes = active.segments.bytes();
  if (bytes == 0) return release_if_quiet(record);
  std::byte* to = grow_backlog(slot, record, active.backlog, bytes);
  for (const Segment& segment : active.segments.all()) {
    std::memcpy(to, segment.data, segment.bytes);
    to += segment.bytes;
  }
  active.segments.clear();
  record.clear(flag::dirty);
}

void Hub::open_gates(std::uint64_t durable) {
  if (durable != durable_) {
    durable_ = durable;
    std::erase_if(held_, [this](const Held& held) {
      const Active* active = this->active(held.ref);
      if (active != nullptr && !active->backlog.held.empty()) {
        if (active->backlog.marks.front().batch > durable_) return false;
        releasing_.push_back(held);
      }
      return true;
    });
  }
  if (releasing_.empty()) return;
  const std::size_t count = std::min(releasing_.size(), releases_of_turn(releasing_.size()));
  const auto end = releasing_.begin() + static_cast<std::ptrdiff_t>(count);
  std::copy_if(releasing_.begin(), end, std::back_inserter(held_),
               [this](const Held& held) { return !release_held(held.ref); });
  releasing_.erase(releasing_.begin(), end);
}

void Hub::reopen_gate(std::uint32_t room, std::uint64_t before) {
  const std::uint64_t batch = std::exchange(groups_[room]->gate, before);
  const auto reopen = [&](const Held& held) {
    Active* active = this->active(held.ref);
    if (held.room != room || active == nullptr) return false;
    std::vector<Backlog::Mark>& marks = active->backlog.marks;
    if (marks.empty() || marks.back().batch != batch) return false;
    const std::size_t end = marks.back().end;
    marks.pop_back();
    if (marks.empty() || marks.back().batch < before) marks.push_back({before, 0});
    marks.back().end = end;
    return release_held(held.ref);
  };
  std::erase_if(held_, reopen);
  std::erase_if(releasing_, reopen);
}

// True if nothing is held any more.
bool Hub::release_held(SlotRef ref) {
  Record* record = slab_.find(ref.slot, ref.generation);
  Active* active = record == nullptr ? nullptr : this->active(*record);
  if (active == nullptr || active->backlog.held.empty()) return true;
  Backlog& backlog = active->backlog;
  const auto later = std::find_if(backlog.marks.begin(), backlog.marks.end(),
                                  [this](auto mark) { return mark.batch > durable_; });
  const std::size_t bytes = later == backlog.marks.begin() ? 0 : std::prev(later)->end;
  if (bytes == 0) return false;
  const auto end = backlog.held.begin() + static_cast<std::ptrdiff_t>(bytes);
  counts_.bytes_sent += bytes;
  if (record->room != none) groups_[record->room]->bytes_sent += bytes;
  if (backlog.in_flight) {
    backlog.waiting.insert(backlog.waiting.end(), backlog.held.begin(), end);
  } else {
    // As a backlog, since the turn isn't over: what it says from here on must come behind this, and
    // this must not be sent again with it.
    ASSERT(active->segments.empty() && backlog.rest.empty());
    backlog.rest.assign(backlog.held.begin(), end);
    note_slow(*record, ref.slot);
    send_backlog(ref.slot, *record, *active);
  }
  backlog.held.erase(backlog.held.begin(), end);
  backlog.marks.erase(backlog.marks.begin(), later);
  for (Backlog::Mark& mark : backlog.marks) mark.end -= bytes;
  return backlog.held.empty();
}

// Whether something was held for that batch or a later one.
bool Hub::forget_held(Backlog& backlog, std::uint64_t batch) {
  const auto first = std::find_if(backlog.marks.begin(), backlog.marks.end(),
                                  [batch](auto mark) { return mark.batch >= batch; });
  if (first == backlog.marks.end()) return false;
  backlog.held.resize(first == backlog.marks.begin() ? 0 : std::prev(first)->end);
  backlog.marks.erase(first, backlog.marks.end());
  return true;
}

void Hub::lose(std::uint32_t room, std::uint64_t batch) {
  Group& group = *groups_[room];
  group.gate = 0;
  for (const Member& member : group.members) discard_unsent(record(member));
  const auto forget = [&](const Held& held) {
    Active* active = this->active(held.ref);
    if (active == nullptr) return true;
    if (held.room == room && forget_held(active->backlog, batch)) {
      // Who was leaving, and won't hear our end of that, is cut off.
      const Record& member = slab_[held.ref.slot];
      if (member.room == none || member.stage == Stage::closing) failed_.push_back(held.ref);
    }
    return active->backlog.held.empty();
  };
  std::erase_if(held_, forget);
  std::erase_if(releasing_, forget);
  for (const Member& member : group.members) {
    send_close(detail::ConnectionAccess::slot(member), number(CloseCode::internal_error),
               "the room's storage failed");
  }
}

}  // namespace ringroom::connection
