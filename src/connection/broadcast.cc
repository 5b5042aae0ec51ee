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
std::byte* Hub::grow_log(Group& group, std::size_t bytes) {
  if (group.log_capacity - group.log_bytes >= bytes) return group.log + group.log_bytes;
  std::size_t capacity =
      std::max<std::size_t>(log_bytes_first, std::size_t{group.log_capacity} * 2);
  while (capacity - group.log_bytes < bytes) capacity *= 2;
  std::byte* larger = arena_.take(capacity);
  if (group.log_bytes > 0) std::memcpy(larger, group.log, group.log_bytes);
  group.log = larger;
  group.log_capacity = static_cast<std::uint32_t>(capacity);
  return larger + group.log_bytes;
}

void Hub::append_to_log(std::uint32_t room,
                        codec::ws::Opcode opcode,
                        std::span<const std::byte> payload,
                        std::span<const std::uint32_t> without) {
  Group& group = *groups_[room];
  // The log of a turn counts against every member's outbox.
  if (group.log_bytes >= options_.outbox_bytes_max) flush_now();
  if (group.log_bytes == 0) dirty_groups_.push_back(room);
  for (const std::uint32_t index : without) {
    Record& record = this->record(group.members[index]);
    if (record.stage != Stage::open) continue;
    if (group.log_bytes > 0) catch_up(record, activate(record));
  }
  const std::size_t header = codec::ws::header_bytes(payload.size());
  std::byte* frame = grow_log(group, header + payload.size());
  codec::ws::encode_header(frame, opcode, payload.size());
  if (!payload.empty()) std::memcpy(frame + header, payload.data(), payload.size());
  group.log_bytes += static_cast<std::uint32_t>(header + payload.size());
  for (const std::uint32_t index : without) {
    Connection& member = group.members[index];
    ConnectionAccess::log_turn(member) = turn_;
    ConnectionAccess::log_cursor(member) = group.log_bytes;
  }
  counts_.messages_sent += group.open - std::min<std::size_t>(group.open, without.size());
}

// Members with a backlog take their copy now, within their limit.
void Hub::serve_slow(Group& group,
                     std::span<const std::uint32_t> without,
                     WhenFull when_full,
                     std::size_t payload_bytes) {
  const std::size_t frame_bytes = codec::ws::header_bytes(payload_bytes) + payload_bytes;
  for (std::size_t i = 0; i < group.slow.size(); ++i) {
    const std::uint32_t slot = group.slow[i];
    Record& record = slab_[slot];
    if (record.stage != Stage::open) continue;
    if (std::find(without.begin(), without.end(), record.member) != without.end()) continue;
    Connection& member = group.members[record.member];
    const bool room = has_room(slot, record, payload_bytes, when_full);
    if (room && group.log_bytes > 0) {
      catch_up(record, activate(record));
      continue;
    }
    if (room) continue;
    // Refused: everything before this frame, and not the frame.
    ASSERT(group.log_bytes >= frame_bytes);
    ConnectionAccess::log_turn(member) = turn_;
    ConnectionAccess::log_cursor(member) = group.log_bytes;
    refused_.push_back(slot);
  }
}

void Hub::flush_group(std::uint32_t room) {
  Group& group = *groups_[room];
  const std::uint32_t end = group.log_bytes;
  for (Connection& member : group.members) {
    const std::uint32_t slot = ConnectionAccess::slot(member);
    Record& record = slab_[slot];
    if (record.stage != Stage::open) continue;
    const std::uint32_t start = log_start(member);
    if (start >= end) continue;
    if (Active* active = this->active(record)) {
      if (record.has(flag::dirty) || active->backlog.in_flight) {
        catch_up(record, *active);
        continue;
      }
    }
    counts_.bytes_sent += end - start;
    group.bytes_sent += end - start;
    ring_.send(slot, {group.log + start, end - start},
               reactor::Tag::of(reactor::Op::send, slot, record.generation));
  }
}

}  // namespace ringroom::connection
