// Envelopes on their way into the agent, and queued messages on their way out: what Host, Agent and
// Connection do about them.
#include "agent/guard.h"
#include "agent/queues.h"
#include "base/log.h"
#include "codec/ws/encoder.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace ringroom::detail {

using agent_runtime::Queued;
using agent_runtime::Queues;
using codec::envelope::JsonReader;
using codec::ws::Opcode;
using connection::Record;
using connection::Stage;
namespace flag = connection::flag;

namespace {

Opcode opcode_of(PayloadKind kind) {
  return kind == PayloadKind::bytes ? Opcode::binary : Opcode::text;
}

void check_name(const char* what, std::string_view name) {
  if (name.size() <= limits::envelope_name_bytes_max) return;
  throw std::length_error("The " + std::string(what) +
                          " of a queued message cannot be larger than 255 bytes. It was " +
                          std::to_string(name.size()) + " bytes.");
}

}  // namespace

// ---- Receiving

// Kept in the record, so that it outlives the agent.
void Host::agree_on_batching(Record& record, BatchFormat format) {
  if (format == BatchFormat::none) return;
  const bool gathers = may_gather(record);
  record.set(format == BatchFormat::flatbuffers ? flag::batch_flat : flag::batch_json);
  if (awake_->batched != UINT32_MAX) ++awake_->batched;
  if (!gathers) runtime_.gathering().join(info_.options.gather_ms);
}

// Counted at the first question after the agent woke.
bool Host::has_batched_members() {
  if (awake_->batched == UINT32_MAX) {
    awake_->batched = static_cast<std::uint32_t>(std::count_if(
        group_.members.begin(), group_.members.end(),
        [this](const auto& member) { return hub().record(member).has(flag::batched); }));
  }
  return awake_->batched > 0;
}

void Host::deliver_batched(Record& record, std::span<std::byte> payload, bool is_text) {
  const bool is_flat = record.has(flag::batch_flat);
  const Message whole(payload, is_text);
  if (is_text == is_flat) return deliver(record.member, whole);
  if (settings_ != nullptr && answers_automatically(record.member, whole)) return;
  if (must_wait()) return hold_batch(record, payload, is_text);
  Batch batch;
  std::string_view fault;
  if (is_flat) {
    fault = codec::envelope::read_flat(aligned(payload), runtime_.json_reader(), batch);
  } else {
    const JsonReader::Result result = runtime_.json_reader().read(whole.text(), batch);
    if (result.outcome == JsonReader::Outcome::message) return deliver(record.member, whole);
    fault = result.fault;
  }
  bytes_received_ += payload.size();
  if (!fault.empty()) return refuse_envelope(record, fault);
  runtime_.counts().messages_received += batch.size();
  touch();
  if (agent() != nullptr || wake()) {
    Connection& from = group_.members[record.member];
    guard("on_batch", &from, [&] { awake_->agent->on_batch(from, batch); });
  }
  runtime_.json_reader().trim();
}

// Where the frame lies in the receive buffer its own header is free; what can't move is copied.
std::span<const std::byte> Host::aligned(std::span<std::byte> payload) {
  connection::Hub::Delivery& delivery = hub().delivery;
  const std::size_t spare =
      delivery.in_place.empty() ? 0 : codec::ws::masked_header_bytes(payload.size());
  delivery.in_place = {};  // it isn't there any more to be sent on
  const std::span<std::byte> moved = codec::envelope::shift_to_alignment(payload, spare);
  if (moved.data() != nullptr) return moved;
  constexpr std::size_t alignment = codec::envelope::alignment;
  std::byte* copy = hub().scratch().take(payload.size() + alignment - 1);
  copy += -reinterpret_cast<std::uintptr_t>(copy) % alignment;
  if (!payload.empty()) std::memcpy(copy, payload.data(), payload.size());
  return {copy, payload.size()};
}

void Host::refuse_envelope(Record& record, std::string_view fault) {
  base::log_warn(title() + ": connection " + std::string(group_.members[record.member].id()) +
                 " is closed with 1007: " + std::string(fault));
  failed(record, number(CloseCode::invalid_payload), fault);
}

// What one message throws is not the affair of the others.
void Host::deliver_each(Connection& from, const Batch& batch) {
  for (const BatchedMessage message : batch) {
    if (hub().record(from).stage != Stage::open) return;
    try {
      awake_->agent->on_message(from, Message(message));
    } catch (...) {
      report("on_message", &from, std::current_exception());
    }
  }
}

// ---- Sending

Queues& Host::queues() {
  if (awake_->queues == nullptr) {
    awake_->queues =
        std::make_unique<Queues>(hub(), runtime_.timers(), group_, info_.options, room_);
  }
  return *awake_->queues;
}

Queues::Now Host::queues_now() const {
  return {runtime_.now_ns(), runtime_.since_ns(), runtime_.wall_ms()};
}

SendResult Host::queue(Connection& to, const BatchedMessage& message) {
  check_name("type", message.type);
  check_name("key", message.key);
  const Record& record = hub().record(to);
  if (record.stage != Stage::open) return SendResult::closed;
  if (!record.has(flag::batched)) return send(to, opcode_of(message.kind), message.payload);
  queues().add(message, queues_now());
  return push(to);
}

SendResult Host::push(Connection& to) {
  const auto result = queues().push(static_cast<std::uint32_t>(member_index(to)), queues_now());
  if (result == Queued::queued) return SendResult::queued;
  on_outbox_full(ConnectionAccess::slot(to));
  return result == Queued::overflown ? SendResult::closed : SendResult::dropped;
}

void Host::broadcast_queued(const BatchedMessage& message, const BroadcastOptions& options) {
  check_name("type", message.type);
  check_name("key", message.key);
  if (!has_batched_members()) return broadcast(opcode_of(message.kind), message.payload, options);
  excluded(options.without);
  const std::vector<std::uint32_t>& left_out = runtime_.scratch().excluded;
  bool is_added = false;
  for (connection::Member& member : group_.members) {
    const Record& record = hub().record(member);
    if (record.stage != Stage::open) continue;
    if (!left_out.empty() &&
        std::find(left_out.begin(), left_out.end(), record.member) != left_out.end()) {
      continue;
    }
    if (!options.tag.empty() &&
        !connection::Details(hub().blobs(), record.details).has_tag(options.tag)) {
      continue;
    }
    if (!record.has(flag::batched)) {
      send(member, opcode_of(message.kind), message.payload);
      continue;
    }
    if (!is_added) queues().add(message, queues_now());
    is_added = true;
    push(member);
  }
}

void Host::flush(Connection& connection) {
  if (awake_ == nullptr || awake_->queues == nullptr) return;
  awake_->queues->flush(static_cast<std::uint32_t>(member_index(connection)), queues_now(), true);
}

void Host::flush_last(Connection& connection) {
  flush(connection);
  if (awake_ == nullptr || awake_->queues == nullptr) return;
  awake_->queues->give_up(static_cast<std::uint32_t>(member_index(connection)), queues_now());
}

void Host::flush_all() {
  if (awake_ == nullptr || awake_->queues == nullptr) return;
  awake_->queues->flush_all(queues_now());
}

void Host::set_batching(Connection& connection, const Batching& limits) {
  queues().set_limits(static_cast<std::uint32_t>(member_index(connection)), limits);
}

}  // namespace ringroom::detail

namespace ringroom {

namespace {

BatchedMessage queued(std::string_view type,
                      std::span<const std::byte> payload,
                      std::string_view key,
                      PayloadKind kind) {
  return {.type = type, .payload = payload, .key = key, .kind = kind};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

void Agent::on_batch(Connection& connection, Batch batch) {
  host_->deliver_each(connection, batch);
}

SendResult Connection::queue(std::string_view type, std::string_view text, std::string_view key) {
  return host_->queue(*this, queued(type, bytes_of(text), key, PayloadKind::text));
}

SendResult Connection::queue(std::string_view type,
                             std::span<const std::byte> bytes,
                             std::string_view key) {
  return host_->queue(*this, queued(type, bytes, key, PayloadKind::bytes));
}

SendResult Connection::queue(std::string_view type, const Message& message, std::string_view key) {
  return host_->queue(*this, queued(type, message.bytes(), key, message.kind()));
}

SendResult Connection::queue_json(std::string_view type,
                                  std::string_view text,
                                  std::string_view key) {
  return host_->queue(*this, queued(type, bytes_of(text), key, PayloadKind::json_value));
}

void Connection::flush() {
  host_->flush(*this);
}

void Connection::set_batching(const Batching& limits) {
  host_->set_batching(*this, limits);
}

BatchFormat Connection::batch_format() const {
  const connection::Record& record = host_->hub().record(*this);
  if (record.has(connection::flag::batch_flat)) return BatchFormat::flatbuffers;
  return record.has(connection::flag::batch_json) ? BatchFormat::json_text : BatchFormat::none;
}

void Agent::broadcast_queued(std::string_view type,
                             std::string_view text,
                             const BroadcastOptions& options) {
  host_->broadcast_queued(queued(type, bytes_of(text), options.key, PayloadKind::text), options);
}

void Agent::broadcast_queued(std::string_view type,
                             std::span<const std::byte> bytes,
                             const BroadcastOptions& options) {
  host_->broadcast_queued(queued(type, bytes, options.key, PayloadKind::bytes), options);
}

void Agent::broadcast_queued(std::string_view type,
                             const Message& message,
                             const BroadcastOptions& options) {
  host_->broadcast_queued(queued(type, message.bytes(), options.key, message.kind()), options);
}

void Agent::broadcast_queued_json(std::string_view type,
                                  std::string_view text,
                                  const BroadcastOptions& options) {
  host_->broadcast_queued(queued(type, bytes_of(text), options.key, PayloadKind::json_value),
                          options);
}

void Agent::flush() {
  host_->flush_all();
}

}  // namespace ringroom
