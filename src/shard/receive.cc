// Frames that come: decoded where the kernel put them, handed to the room, and what can't be looked
// at now is kept for later.
#include "base/assert.h"
#include "codec/ws/utf8.h"
#include "ringroom/limits.h"
#include "shard/shard.h"

#include <cerrno>

namespace ringroom::shard {

using codec::ws::Event;
using codec::ws::Opcode;
using connection::Record;
using connection::Stage;
using reactor::Op;
using reactor::Tag;
namespace flag = connection::flag;

namespace {

// So many pings of one receive are answered one by one; of more, the last (RFC 6455 §5.5.3).
constexpr unsigned pings_answered_each = 16;
// So many bytes wait here for an agent that is slower than its client; the rest waits at the
// client.
constexpr std::size_t input_bytes_max = 256 * limits::KiB;

std::uint32_t milliseconds(std::uint64_t nanoseconds) {
  return static_cast<std::uint32_t>(nanoseconds / 1'000'000);
}

}  // namespace

// Asks for bytes: from a WebSocket until told otherwise, from an HTTP client once, and from a
// member of a sleeping room by a poll, or once while a message is partly here.
void Shard::arm(std::uint32_t slot, Record& record) {
  if (record.has(flag::receiving)) return;
  const bool asleep = is_asleep(record);
  if (asleep && is_between_messages(record)) return hub_.park(slot, record);
  record.set(flag::receiving);
  if (asleep || record.stage == Stage::http) {
    record.set(flag::receiving_once);
    ring_->receive_once(slot, hub_.receive_tag(slot, record));
  } else {
    ring_->receive(slot, hub_.receive_tag(slot, record));
  }
}

void Shard::on_receive(const Completion& completion) {
  const std::uint32_t slot = completion.tag.slot();
  const std::uint32_t generation = completion.tag.generation();
  Record* record = hub_.find(slot, generation);
  if (record == nullptr || record->stage == Stage::shutting) [[unlikely]] {
    if (completion.has_buffer) ring_->release(completion.buffer);
    return;
  }
  if (!completion.more) record->clear(flag::receiving | flag::cancelling);
  if (completion.result <= 0) [[unlikely]] {
    if (completion.result == -ENOBUFS) {
      starved_.push_back({slot, generation});
    } else if (completion.result == 0) {
      peer_finished(slot, *record);
    } else if (completion.result != -ECANCELED) {
      connection_ended(slot, *record);
    } else if (wants_bytes(*record)) {
      arm(slot, *record);
    }
    return;
  }
  bytes_received_ += static_cast<std::uint64_t>(completion.result);
  record->heard_ms = milliseconds(turn_began_ns_);
  take_frames(slot, *record, completion);
  ring_->release(completion.buffer);
  if (!completion.more && record->generation == generation && record->stage != Stage::shutting &&
      wants_bytes(*record)) {
    arm(slot, *record);
  }
}

void Shard::take_frames(std::uint32_t slot, Record& record, const Completion& completion) {
  if (record.stage != Stage::open && record.stage != Stage::closing) [[unlikely]]
    return;
  const connection::Active* active = hub_.active(record);
  if (record.has(flag::paused) || (active != nullptr && !active->input.empty())) {
    stash(record, completion.bytes());
    if (!wants_bytes(record)) stop_reading(slot, record);
  } else {
    receive_frames(slot, record, completion.bytes(), completion.buffer);
  }
}

[[gnu::always_inline]] inline void Shard::deliver(std::uint32_t slot,
                                                  Record& record,
                                                  const Event& event,
                                                  std::uint32_t buffer) {
  const bool is_text = event.opcode == Opcode::text;
  if (event.compressed) [[unlikely]]
    return deliver_compressed(slot, record, event.payload, is_text);
  if (recording_ != nullptr) [[unlikely]]
    record_message(slot, record, event.payload, is_text);
  const bool is_batched = record.has(flag::batched);
  const bool may_move = is_batched || event.payload.size() >= connection::Hub::send_on_bytes_min;
  if (may_move && event.in_place && buffer != no_buffer) [[unlikely]] {
    hub_.delivery.in_place = event.payload;
    hub_.delivery.held = false;
  }
  if (is_batched) [[unlikely]] {
    runtime_.host(record.room).deliver_batched(record, event.payload, is_text);
  } else {
    runtime_.host(record.room).deliver(record.member, Message(event.payload, is_text));
  }
  if (may_move) [[unlikely]]
    hub_.delivery.in_place = {};
}

void Shard::receive_frames(std::uint32_t slot,
                           Record& record,
                           std::span<std::byte> input,
                           std::uint32_t buffer) {
  const codec::ws::DecoderOptions options{.message_bytes_max = config_.message_bytes_max,
                                          .role = codec::ws::Role::server,
                                          .deflate = record.has(flag::deflate)};
  // Nothing is stored of a quiet connection, so its decoder is made anew; the Active of another may
  // go back to its pool while we are at it.
  codec::ws::Decoder decoder;
  connection::Active* kept = hub_.active(record);
  const bool resumed = kept != nullptr && !kept->decoder.idle();
  if (resumed) decoder = std::exchange(kept->decoder, {});
  pings_in_row_ = 0;
  // A client that doesn't read what it causes stops being read from.
  hub_.delivery = {.slot = slot, .buffer = static_cast<std::uint16_t>(buffer)};
  for (;;) {
    const Event event = decoder.next(input, options);
    bool stays = true;
    if (event.kind == Event::Kind::message) [[likely]] {
      if (record.stage == Stage::open) [[likely]]
        deliver(slot, record, event, buffer);
      stays = record.room != connection::none;
    } else if (event.kind == Event::Kind::need_more) {
      break;
    } else {
      stays = on_control(slot, record, event);
    }
    if (!stays) {
      hub_.delivery = {};
      return;
    }
    const bool later = record.has(flag::paused) || over_budget();
    if (later && !input.empty()) {
      stash(record, input);
      if (!record.has(flag::paused) && !record.has(flag::unfinished)) {
        record.set(flag::unfinished);
        unfinished_.push_back({slot, record.generation});
      }
      break;
    }
  }
  if (pings_in_row_ > pings_answered_each) hub_.send(slot, Opcode::pong, last_ping_);
  hub_.delivery = {};
  if (!wants_bytes(record)) stop_reading(slot, record);
  if (!decoder.idle()) {
    hub_.activate(record).decoder = std::move(decoder);
  } else if (resumed) {
    hub_.release_if_quiet(record);
  }
}

// False if the connection is out of its room.
bool Shard::on_control(std::uint32_t slot, Record& record, const Event& event) {
  switch (event.kind) {
    case Event::Kind::ping:
      if (record.stage == Stage::open) answer_ping(slot, event.payload);
      return true;
    case Event::Kind::pong: record.clear(flag::ping_sent); return true;
    case Event::Kind::close:
      runtime_.host(record.room).closed_by_peer(record, event.close_code, event.reason);
      return false;
    case Event::Kind::error:
      runtime_.host(record.room).failed(record, event.close_code, event.reason);
      return false;
    case Event::Kind::message:
    case Event::Kind::need_more: return true;
  }
  return true;
}

void Shard::deliver_compressed(std::uint32_t slot,
                               Record& record,
                               std::span<const std::byte> payload,
                               bool is_text) {
  const auto status = inflater_.inflate(payload, inflated_, config_.message_bytes_max);
  if (status != codec::ws::InflateStatus::ok) {
    const std::uint16_t code = codec::ws::close_code_of(status);
    const bool too_big = code == codec::ws::close_code::message_too_big;
    return runtime_.host(record.room)
        .failed(record, code, too_big ? "Message is too large" : "Bad compressed data");
  }
  if (is_text && !codec::ws::is_valid_utf8(inflated_)) {
    return runtime_.host(record.room)
        .failed(record, codec::ws::close_code::invalid_payload, "Text is not UTF-8");
  }
  if (recording_ != nullptr) record_message(slot, record, inflated_, is_text);
  if (record.has(flag::batched)) {
    runtime_.host(record.room).deliver_batched(record, inflated_, is_text);
  } else {
    runtime_.host(record.room).deliver(record.member, Message(inflated_, is_text));
  }
}

void Shard::answer_ping(std::uint32_t slot, std::span<const std::byte> payload) {
  if (++pings_in_row_ > pings_answered_each) {
    last_ping_.assign(payload.begin(), payload.end());
    return;
  }
  hub_.send(slot, Opcode::pong, payload);
}

void Shard::stash(Record& record, std::span<const std::byte> input) {
  std::vector<std::byte>& kept = hub_.activate(record).input;
  kept.insert(kept.end(), input.begin(), input.end());
}

bool Shard::wants_bytes(const Record& record) {
  if (record.has(flag::paused) || record.has(flag::ended)) return false;
  const connection::Active* active = hub_.active(record);
  return active == nullptr || active->input.size() < input_bytes_max;
}

void Shard::stop_reading(std::uint32_t slot, Record& record) {
  if (!record.has(flag::receiving) || record.has(flag::cancelling)) return;
  record.set(flag::cancelling);
  ring_->cancel(hub_.receive_tag(slot, record));
}

// Goes on with a connection that was paused or had bytes left over.
void Shard::resume(std::uint32_t slot, std::uint32_t generation) {
  Record* record = hub_.find(slot, generation);
  if (record == nullptr) return;
  record->clear(flag::paused);
  if (record->stage == Stage::http) return read_requests(slot, {});
  if (record->stage == Stage::finishing || record->stage == Stage::lingering) {
    if (!record->has(flag::cancelling)) arm(slot, *record);  // to see the peer's end
    return;
  }
  if (record->stage != Stage::open && record->stage != Stage::closing) return;
  if (connection::Active* active = hub_.active(*record); active && !active->input.empty()) {
    std::vector<std::byte> input = std::exchange(active->input, {});
    receive_frames(slot, *record, input, no_buffer);
  }
  if (hub_.find(slot, generation) == nullptr || record->has(flag::paused)) return;
  if (record->stage == Stage::open || record->stage == Stage::closing) {
    if (record->has(flag::ended) && !record->has(flag::unfinished)) {
      return connection_ended(slot, *record);
    }
    if (!record->has(flag::cancelling) && wants_bytes(*record)) arm(slot, *record);
    hub_.release_if_quiet(*record);
  }
}

void Shard::resume_unfinished() {
  if (unfinished_.empty()) return;
  for (const connection::SlotRef ref : std::exchange(unfinished_, {})) {
    Record* record = hub_.find(ref.slot, ref.generation);
    if (record == nullptr) continue;
    record->clear(flag::unfinished);
    if (!record->has(flag::paused)) resume(ref.slot, ref.generation);
  }
}

// A batch may outlive the turn: those in it that met no buffer before the refill are armed too.
void Shard::rearm_starved() {
  if (ring_->take_refilled()) refilled_ = true;
  if (!refilled_) return;
  refilled_ = next_completion_ < completions_.size();
  for (const connection::SlotRef ref : std::exchange(starved_, {})) {
    Record* record = hub_.find(ref.slot, ref.generation);
    if (record == nullptr || record->stage == Stage::shutting || !wants_bytes(*record)) continue;
    arm(ref.slot, *record);
  }
}

// The peer will send nothing more; it may still read. What it sent before counts, and what it was
// answered leaves.
void Shard::peer_finished(std::uint32_t slot, Record& record) {
  if (record.stage == Stage::finishing) return record.clear(flag::shut_after_output);
  if (record.stage == Stage::http) {
    end_session(slot);
    return hub_.finish(slot, false);
  }
  const connection::Active* active = hub_.active(record);
  const bool waits = active != nullptr && !active->input.empty();
  const bool in_room = record.stage == Stage::open || record.stage == Stage::closing;
  if (in_room && waits) return record.set(flag::ended);
  connection_ended(slot, record);
}

// The peer is gone, or we are done waiting for it.
void Shard::connection_ended(std::uint32_t slot, Record& record) {
  switch (record.stage) {
    case Stage::open:
    case Stage::closing: return runtime_.host(record.room).lost(record);
    case Stage::http: end_session(slot); return hub_.close_file(slot);
    case Stage::finishing:
    case Stage::lingering: return hub_.close_file(slot);
    case Stage::leaving:
    case Stage::shutting:
    case Stage::free: return;
  }
}

// --ping-every: whoever was silent for that long is pinged, for twice that long is lost.
void Shard::ping_the_silent() {
  const auto every_ms = static_cast<std::uint32_t>(config_.ping_every.count());
  const std::uint32_t now_ms = milliseconds(turn_began_ns_);
  for (std::uint32_t slot = 0; slot < hub_.slab().end(); ++slot) {
    Record& record = hub_.slab()[slot];
    if (record.stage != Stage::open) continue;
    const std::uint32_t silent_ms = now_ms - record.heard_ms;
    if (record.has(flag::ping_sent)) {
      if (silent_ms >= 2 * every_ms && !record.has(flag::paused)) connection_ended(slot, record);
    } else if (silent_ms >= every_ms) {
      record.set(flag::ping_sent);
      hub_.send(slot, Opcode::ping, {});
    }
  }
  const auto every_ns =
      static_cast<std::uint64_t>(std::chrono::nanoseconds(config_.ping_every).count());
  timers_.set(ping_timer_, turn_began_ns_ + std::max<std::uint64_t>(every_ns / 4, 1'000'000));
}

}  // namespace ringroom::shard
