// Frames for one connection. Written into the turn's arena, behind each other, so that all of a
// turn are one send; for a client that doesn't keep up, copied into its backlog.
#include "base/assert.h"
#include "codec/ws/encoder.h"
#include "connection/hub.h"

#include <algorithm>
#include <cstring>

namespace ringroom::connection {

using codec::ws::Opcode;

namespace {

// Whole frames from the front of what waits, until `bytes` fit under `bytes_max`.
void drop_oldest_frames(Backlog& backlog, std::size_t bytes, std::size_t bytes_max) {
  std::size_t dropped = 0;
  const std::vector<std::byte>& waiting = backlog.waiting;
  while (dropped < waiting.size() && backlog.bytes() - dropped + bytes > bytes_max) {
    const std::byte* frame = waiting.data() + dropped;
    std::size_t payload = std::to_integer<std::size_t>(frame[1]);
    if (payload == codec::ws::length_is_16_bit) {
      payload =
          std::to_integer<std::size_t>(frame[2]) << 8U | std::to_integer<std::size_t>(frame[3]);
    } else if (payload == codec::ws::length_is_64_bit) {
      payload = 0;
      for (int i = 2; i < 10; ++i) payload = payload << 8U | std::to_integer<std::size_t>(frame[i]);
    }
    dropped += codec::ws::header_bytes(payload) + payload;
  }
  backlog.waiting.erase(backlog.waiting.begin(),
                        backlog.waiting.begin() + static_cast<std::ptrdiff_t>(dropped));
}

}  // namespace

// The broadcasts that the member hasn't got yet become its own, so that order is kept.
void Hub::catch_up(Record& record, Active& active) {
  if (record.room == none) return;
  Group& group = *groups_[record.room];
  const std::uint32_t end = log_bytes(group);
  if (end == 0) return;
  Connection& member = group.members[record.member];
  const std::uint32_t start = log_start(member);
  detail::ConnectionAccess::log_turn(member) = turn_;
  detail::ConnectionAccess::log_cursor(member) = end;
  if (start == end) return;
  const std::byte* log = broadcasts(group).log;
  const std::uint32_t slot = detail::ConnectionAccess::slot(member);
  const std::size_t bytes = end - start;
  if (active.backlog.is_busy()) {
    std::memcpy(grow_backlog(slot, record, active.backlog, bytes), log + start, bytes);
  } else {
    active.segments.append(log + start, bytes);
    mark_dirty(slot, record);
  }
}

// Nothing is to be compressed, nothing lies before what is queued now: a backlog, broadcasts.
bool Hub::is_in_step(const Record& record, const Active& active) const {
  return !record.has(flag::deflate) && !active.backlog.is_busy() && record.room != none &&
         groups_[record.room]->broadcasts == none;
}

[[gnu::always_inline]] inline void Hub::queue_frame(std::uint32_t slot,
                                                    Record& record,
                                                    Active& active,
                                                    FrameKind kind,
                                                    std::span<const std::byte> payload) {
  const std::size_t header = codec::ws::header_bytes(payload.size());
  std::byte* frame = arena_.take(header + payload.size());
  codec::ws::encode_header(frame, kind.opcode, payload.size(), true, kind.compressed);
  if (!payload.empty()) std::memcpy(frame + header, payload.data(), payload.size());
  active.segments.append(frame, header + payload.size());
  mark_dirty(slot, record);
}

Sent Hub::send(std::uint32_t slot,
               Opcode opcode,
               std::span<const std::byte> payload,
               WhenFull when_full) {
  Record& record = slab_[slot];
  if (record.stage != Stage::open) [[unlikely]]
    return Sent::closed;
  Active& active = activate(record);
  if (payload.size() < send_on_bytes_min && is_in_step(record, active) &&
      active.segments.bytes() + payload.size() < options_.outbox_bytes_max) [[likely]] {
    queue_frame(slot, record, active, {opcode, false}, payload);
    ++counts_.messages_sent;
    return Sent::queued;
  }
  return send_with_care(slot, opcode, payload, when_full);
}

Sent Hub::send_with_care(std::uint32_t slot,
                         Opcode opcode,
                         std::span<const std::byte> payload,
                         WhenFull when_full) {
  Record& record = slab_[slot];
  Active* active = &activate(record);
  catch_up(record, *active);
  if (active->segments.bytes() + active->backlog.bytes() + payload.size() >=
      options_.outbox_bytes_max) [[unlikely]] {
    if (!has_room(slot, record, payload.size(), when_full)) {
      release_if_quiet(record);
      return Sent::full;
    }
    active = &activate(record);
  }
  ++counts_.messages_sent;
  if (record.has(flag::deflate) && (opcode == Opcode::text || opcode == Opcode::binary)) {
    deflater_.deflate(payload, deflated_, record.window_bits);
    send_frame(slot, record, *active, {opcode, true}, deflated_);
  } else if (!send_on(slot, record, *active, opcode, payload)) {
    send_frame(slot, record, *active, {opcode, false}, payload);
  }
  return Sent::queued;
}

void Hub::send_frame(std::uint32_t slot,
                     Record& record,
                     Active& active,
                     FrameKind kind,
                     std::span<const std::byte> payload) {
  if (!active.backlog.is_busy()) return queue_frame(slot, record, active, kind, payload);
  const std::size_t header = codec::ws::header_bytes(payload.size());
  std::byte* frame = grow_backlog(slot, record, active.backlog, header + payload.size());
  codec::ws::encode_header(frame, kind.opcode, payload.size(), true, kind.compressed);
  if (!payload.empty()) std::memcpy(frame + header, payload.data(), payload.size());
}

// The message being delivered leaves from its receive buffer. The client's header, which is longer
// than ours by the mask, lies before the payload and is done with.
bool Hub::send_on(std::uint32_t slot,
                  Record& record,
                  Active& active,
                  Opcode opcode,
                  std::span<const std::byte> payload) {
  if (payload.size() < send_on_bytes_min || active.backlog.is_busy() ||
      payload.data() != delivery.in_place.data() || payload.size() != delivery.in_place.size()) {
    return false;
  }
  if (!delivery.held) {
    delivery.held = true;
    ring_.hold(delivery.buffer);
    held_buffers_.push_back(delivery.buffer);
  }
  const std::size_t header = codec::ws::header_bytes(payload.size());
  std::byte* frame = delivery.in_place.data() - header;
  codec::ws::encode_header(frame, opcode, payload.size());
  active.segments.append(frame, header + payload.size());
  mark_dirty(slot, record);
  return true;
}

// What isn't as usual (compressed, a client that doesn't keep up) gets a frame of its own.
Sent Hub::send_shared(std::uint32_t slot,
                      Opcode opcode,
                      std::span<const std::byte> payload,
                      SharedFrame& frame) {
  Record& record = slab_[slot];
  if (record.stage != Stage::open || record.has(flag::deflate)) {
    return send(slot, opcode, payload);
  }
  Active& active = activate(record);
  catch_up(record, active);
  if (active.backlog.is_busy() ||
      active.segments.bytes() + payload.size() >= options_.outbox_bytes_max) {
    return send(slot, opcode, payload);
  }
  if (frame.turn != turn_) {
    const std::size_t header = codec::ws::header_bytes(payload.size());
    std::byte* laid = arena_.take(header + payload.size());
    codec::ws::encode_header(laid, opcode, payload.size());
    if (!payload.empty()) std::memcpy(laid + header, payload.data(), payload.size());
    frame = {.bytes = {laid, header + payload.size()}, .turn = turn_};
  }
  ++counts_.messages_sent;
  mark_dirty(slot, record);
  active.segments.append(frame.bytes.data, frame.bytes.bytes);
  return Sent::queued;
}

// An outbox below its limit takes any one frame. At the limit what is queued is sent first, since
// what the kernel takes doesn't count. Own frames of the connection whose message is being
// handled are taken in any case: reading from it stops instead.
bool Hub::has_room(std::uint32_t slot, Record& record, std::size_t bytes, WhenFull when_full) {
  Active& before = activate(record);
  const std::size_t buffered = before.segments.bytes() + before.backlog.bytes();
  const bool own = slot == delivery.slot;
  if (buffered + bytes < options_.outbox_bytes_max) [[likely]]
    return true;
  if (buffered >= options_.outbox_bytes_max) {
    if (!before.segments.empty()) flush_now();
    if (record.stage != Stage::open) return false;
    Active& active = activate(record);
    if (active.backlog.bytes() >= options_.outbox_bytes_max && !own) {
      record.set(flag::was_full);
      // An envelope holds messages that may not vanish unseen.
      if (when_full == WhenFull::refuse || record.has(flag::batched) ||
          !active.backlog.held.empty()) {
        return false;
      }
      // What the kernel is reading can't be dropped; one frame may wait behind it in any case, so
      // that who reads again gets the newest.
      drop_oldest_frames(active.backlog, bytes, options_.outbox_bytes_max);
    }
  }
  // Only what the kernel refused, or the gate holds, drains later, and ends the pause.
  if (own && activate(record).backlog.is_busy()) record.set(flag::paused | flag::was_full);
  return true;
}

void Hub::send_raw(std::uint32_t slot, std::span<const std::byte> bytes) {
  Record& record = slab_[slot];
  Active& active = activate(record);
  if (active.backlog.is_busy()) {
    std::memcpy(grow_backlog(slot, record, active.backlog, bytes.size()), bytes.data(),
                bytes.size());
    return;
  }
  std::byte* copy = arena_.take(bytes.size());
  std::memcpy(copy, bytes.data(), bytes.size());
  active.segments.append(copy, bytes.size());
  mark_dirty(slot, record);
}

void Hub::discard_unsent(Record& record) {
  if (Active* active = this->active(record)) active->segments.clear();
  if (record.room == none) return;
  Group& group = *groups_[record.room];
  Connection& member = group.members[record.member];
  detail::ConnectionAccess::log_turn(member) = turn_;
  detail::ConnectionAccess::log_cursor(member) = log_bytes(group);
}

}  // namespace ringroom::connection
