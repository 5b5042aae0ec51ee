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
  hub().send_close(slot, number(CloseCode::try_again_later), "the client reads too slowly");
}

// Fills excluded_ with the indices of members to leave out; false if there are none.
bool Host::excluded(const Exclusions& without) {
  excluded_.clear();
  const auto add = [this](ConnectionRef ref) {
    if (Connection* member = resolve(ref)) {
      excluded_.push_back(static_cast<std::uint32_t>(member_index(*member)));
    }
  };
  if (without.one().index != UINT32_MAX) add(without.one());
  for (const ConnectionRef ref : without.refs()) add(ref);
  if (!without.ids().empty()) {
    for (const connection::Member& member : group_.members) {
      const std::string_view id = member.id();
      if (std::find(without.ids().begin(), without.ids().end(), id) == without.ids().end())
        continue;
      excluded_.push_back(static_cast<std::uint32_t>(member_index(member)));
    }
  }
  return !excluded_.empty();
}

void Host::broadcast(Opcode opcode,
                     std::span<const std::byte> payload,
                     const BroadcastOptions& options) {
  excluded(options.without);
  if (options.tag.empty()) {
    if (group_.open == 0) return;
    hub().broadcast(room_, opcode, payload, excluded_, when_full(info_.options),
                    [this](std::uint32_t slot) { on_outbox_full(slot); });
    return;
  }
  for (connection::Member& member : group_.members) {
    const Record& record = hub().record(member);
    if (record.stage != Stage::open) continue;
    const auto index = static_cast<std::uint32_t>(member_index(member));
    if (std::find(excluded_.begin(), excluded_.end(), index) != excluded_.end()) continue;
    if (!connection::Details(hub().blobs(), record.details).has_tag(options.tag)) continue;
    send(member, opcode, payload);
  }
}

void Host::close(Connection& connection,
                 std::optional<std::uint16_t> code,
                 std::string_view reason) {
  if (code && !codec::ws::is_valid_sent_close_code(*code)) {
    throw std::invalid_argument("Invalid WebSocket close code: " + std::to_string(*code) + ".");
  }
  if (!codec::ws::is_valid_close_reason(reason)) {
    throw std::invalid_argument(
        "WebSocket close reason must be UTF-8 and not be longer than 123 bytes.");
  }
  const std::uint32_t slot = ConnectionAccess::slot(connection);
  if (closing_reply_ && closing_reply_->slot == slot) {
    closing_reply_->code = code;
    closing_reply_->reason = reason;
    return;
  }
  hub().send_close(slot, code, reason);
}

}  // namespace ringroom::detail
