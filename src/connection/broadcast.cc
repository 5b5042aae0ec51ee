// One frame for many connections: encoded once into the room's log of the turn. Members get the
// part of the log that they don't have yet in one send at the end of the turn; the few that were
// left out, or have frames of their own between, get it in pieces.
#include "base/assert.h"
#include "codec/ws/encoder.h"
#include "connection/hub.h"

#include <algorithm>
#include <cstring>

namespace ringroom::connection {

using detail::ConnectionAccess;

namespace {
constexpr std::uint32_t log_bytes_first = 2048;
}

std::uint32_t Hub::log_start(Connection& member) const {
  return ConnectionAccess::log_turn(member) == turn_ ? ConnectionAccess::log_cursor(member) : 0;
}

// More room at the end of the log. What was sent from the old place stays good until the turn is
// settled.
std::byte* Hub::grow_log(Broadcasts& all, std::size_t bytes) {
  if (all.log_capacity - all.log_bytes >= bytes) return all.log + all.log_bytes;
  std::size_t capacity = std::max<std::size_t>(log_bytes_first, std::size_t{all.log_capacity} * 2);
  while (capacity - all.log_bytes < bytes) capacity *= 2;
  std::byte* larger = arena_.take(capacity);
  if (all.log_bytes > 0) std::memcpy(larger, all.log, all.log_bytes);
  all.log = larger;
  all.log_capacity = static_cast<std::uint32_t>(capacity);
  return larger + all.log_bytes;
}

void Hub::end_log(Group& group) {
  if (group.broadcasts == none) return;
  Broadcasts& all = broadcasts_[group.broadcasts];
  all.log = nullptr;
  all.log_bytes = 0;
  all.log_capacity = 0;
  release_broadcasts_if_quiet(group);
}

void Hub::release_broadcasts_if_quiet(Group& group) {
  if (!broadcasts_[group.broadcasts].quiet()) return;
  broadcasts_.give_back(group.broadcasts);
  group.broadcasts = none;
}

void Hub::append_to_log(std::uint32_t room,
                        codec::ws::Opcode opcode,
                        std::span<const std::byte> payload,
                        std::span<const std::uint32_t> without) {
  Group& group = *groups_[room];
  // The log of a turn counts against every member's outbox.
  if (log_bytes(group) >= options_.outbox_bytes_max) flush_now();
  if (log_bytes(group) == 0) dirty_groups_.push_back(room);
  for (const std::uint32_t index : without) {
    Record& record = this->record(group.members[index]);
    if (record.stage != Stage::open) continue;
    if (log_bytes(group) > 0) catch_up(record, activate(record));
  }
  Broadcasts& all = broadcasts(group);
  const std::size_t header = codec::ws::header_bytes(payload.size());
  std::byte* frame = grow_log(all, header + payload.size());
  codec::ws::encode_header(frame, opcode, payload.size());
  if (!payload.empty()) std::memcpy(frame + header, payload.data(), payload.size());
  all.log_bytes += static_cast<std::uint32_t>(header + payload.size());
  for (const std::uint32_t index : without) {
    Connection& member = group.members[index];
    ConnectionAccess::log_turn(member) = turn_;
    ConnectionAccess::log_cursor(member) = all.log_bytes;
  }
  counts_.messages_sent += group.open - std::min<std::size_t>(group.open, without.size());
}

// Members with a backlog take their copy now, within their limit.
void Hub::serve_slow(Group& group,
                     std::span<const std::uint32_t> without,
                     WhenFull when_full,
                     std::size_t payload_bytes) {
  const std::size_t frame_bytes = codec::ws::header_bytes(payload_bytes) + payload_bytes;
  const Broadcasts& all = broadcasts(group);
  for (std::size_t i = 0; i < all.slow.size(); ++i) {
    const std::uint32_t slot = all.slow[i];
    Record& record = slab_[slot];
    if (record.stage != Stage::open) continue;
    if (std::find(without.begin(), without.end(), record.member) != without.end()) continue;
    Connection& member = group.members[record.member];
    const bool room = has_room(slot, record, payload_bytes, when_full);
    if (room && all.log_bytes > 0) {
      catch_up(record, activate(record));
      continue;
    }
    if (room) continue;
    // Refused: everything before this frame, and not the frame.
    ASSERT(all.log_bytes >= frame_bytes);
    ConnectionAccess::log_turn(member) = turn_;
    ConnectionAccess::log_cursor(member) = all.log_bytes;
    refused_.push_back(slot);
  }
}

void Hub::flush_group(std::uint32_t room) {
  Group& group = *groups_[room];
  const Broadcasts& all = broadcasts(group);
  const std::uint32_t end = all.log_bytes;
  const bool gated = is_gated(group);
  for (Connection& member : group.members) {
    const std::uint32_t slot = ConnectionAccess::slot(member);
    Record& record = slab_[slot];
    if (record.stage != Stage::open) continue;
    const std::uint32_t start = log_start(member);
    if (start >= end) continue;
    if (gated) {
      catch_up(record, activate(record));
      continue;
    }
    if (Active* active = this->active(record)) {
      if (record.has(flag::dirty) || active->backlog.is_busy()) {
        catch_up(record, *active);
        continue;
      }
    }
    counts_.bytes_sent += end - start;
    group.bytes_sent += end - start;
    ring_.send(slot, {all.log + start, end - start},
               reactor::Tag::of(reactor::Op::send, slot, record.generation));
  }
}

}  // namespace ringroom::connection
