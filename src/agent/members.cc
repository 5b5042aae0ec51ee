// What an agent does with its members: sending, broadcasting, closing.
#include "agent/guard.h"
#include "codec/ws/close.h"

#include <algorithm>
#include <stdexcept>

namespace ringroom::detail {

using codec::ws::Opcode;
using connection::Record;
using connection::Sent;
using connection::Stage;
using connection::WhenFull;

namespace {

WhenFull when_full(const AgentOptions& options) {
  return options.outbox_full == OutboxFull::drop_oldest ? WhenFull::drop_oldest : WhenFull::refuse;
}

}  // namespace

SendResult Host::send(Connection& to, Opcode opcode, std::span<const std::byte> payload) {
  const std::uint32_t slot = ConnectionAccess::slot(to);
  if (hub().record(to).has(connection::flag::batched)) [[unlikely]]
    flush(to);
  switch (hub().send(slot, opcode, payload, when_full(info_.options))) {
    case Sent::queued: return SendResult::queued;
    case Sent::closed: return SendResult::closed;
    case Sent::full: break;
  }
  on_outbox_full(slot);
  return info_.options.outbox_full == OutboxFull::close ? SendResult::closed : SendResult::dropped;
}

void Host::on_outbox_full(std::uint32_t slot) {
  if (info_.options.outbox_full != OutboxFull::close) {
    ++runtime_.counts().outbox_dropped;
    return;
  }
  ++runtime_.counts().outbox_closed;
  if (awake_ != nullptr && awake_->queues != nullptr) {
    awake_->queues->give_up(hub().slab()[slot].member, queues_now());
  }
  hub().send_close(slot, number(CloseCode::try_again_later), "the client reads too slowly");
}

// Fills `excluded` with the indices of members to leave out; false if there are none.
bool Host::excluded(const Exclusions& without) {
  std::vector<std::uint32_t>& excluded = runtime_.scratch().excluded;
  excluded.clear();
  const auto add = [&](ConnectionRef ref) {
    if (Connection* member = resolve(ref)) {
      excluded.push_back(static_cast<std::uint32_t>(member_index(*member)));
    }
  };
  if (without.one().index != UINT32_MAX) add(without.one());
  for (const ConnectionRef ref : without.refs()) add(ref);
  if (!without.ids().empty()) {
    for (const connection::Member& member : group_.members) {
      const std::string_view id = member.id();
      if (std::find(without.ids().begin(), without.ids().end(), id) == without.ids().end())
        continue;
      excluded.push_back(static_cast<std::uint32_t>(member_index(member)));
    }
  }
  return !excluded.empty();
}

void Host::send_to_all_but(std::span<const std::uint32_t> left_out,
                           Opcode opcode,
                           std::span<const std::byte> payload) {
  if (group_.open == 0) return;
  if (awake_ != nullptr && awake_->queues != nullptr) [[unlikely]]
    flush_all();
  hub().broadcast(room_, opcode, payload, left_out, when_full(info_.options),
                  [this](std::uint32_t slot) { on_outbox_full(slot); });
}

void Host::broadcast(Opcode opcode,
                     std::span<const std::byte> payload,
                     const BroadcastOptions& options) {
  excluded(options.without);
  const std::vector<std::uint32_t>& left_out = runtime_.scratch().excluded;
  if (options.tag.empty()) {
    return send_to_all_but(left_out, opcode, payload);
  }
  for (connection::Member& member : group_.members) {
    const Record& record = hub().record(member);
    if (record.stage != Stage::open) continue;
    const auto index = static_cast<std::uint32_t>(member_index(member));
    if (std::find(left_out.begin(), left_out.end(), index) != left_out.end()) continue;
    if (!connection::Details(hub().blobs(), record.details).has_tag(options.tag)) continue;
    send(member, opcode, payload);
  }
}

// Those that have the id of a newcomer make place for it.
void Host::close_duplicates(const Connection& newcomer) {
  const std::string_view id = newcomer.id();
  for (connection::Member& member : group_.members) {
    if (&member == &newcomer || member.id() != id) continue;
    flush_last(member);
    hub().send_close(ConnectionAccess::slot(member), number(CloseCode::replaced),
                     "replaced by a newer connection with this id");
  }
}

void Host::close(Connection& connection,
                 std::optional<std::uint16_t> code,
                 std::string_view reason) {
  if (code && !codec::ws::is_valid_sent_close_code(*code)) {
    throw std::invalid_argument("Invalid WebSocket close code: " + std::to_string(*code) + ".");
  }
  if (reason.size() > limits::close_reason_bytes_max) {
    throw std::invalid_argument(
        "WebSocket close reason must not be longer than 123 bytes when UTF-8 encoded.");
  }
  if (!codec::ws::is_valid_close_reason(reason)) {
    throw std::invalid_argument("WebSocket close reason must be valid UTF-8.");
  }
  const std::uint32_t slot = ConnectionAccess::slot(connection);
  if (auto& reply = runtime_.scratch().closing_reply; reply && reply->slot == slot) {
    reply->code = code;
    reply->reason = reason;
    return;
  }
  flush_last(connection);
  hub().send_close(slot, code, reason);
}

}  // namespace ringroom::detail
