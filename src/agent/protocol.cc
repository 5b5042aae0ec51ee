// The frames of the Agents protocol: what a new connection is told, what is for everybody, and
// which of a client's messages are frames.
#include "agent/guard.h"
#include "codec/agents/client_frame.h"
#include "codec/agents/server_frame.h"
#include "codec/http/route.h"

#include <variant>

namespace ringroom::detail {

using connection::Record;
using connection::Stage;
namespace flag = connection::flag;
namespace frames = codec::agents;

// Between the handshake and on_connect: who the client is to the room, and what it has to know.
void Host::begin_session(Connection& guest, const ConnectionContext& context) {
  Record& record = hub().record(guest);
  if (awake_->agent->should_connection_be_readonly(guest, context)) record.set(flag::readonly);
  if (!awake_->agent->should_send_protocol_messages(guest, context)) return;
  record.set(flag::protocol);
  ++protocol_members_;
  const bool state_follows = has_state();
  if (info_.options.send_identity_on_connect) {
    guest.send(frames::identity_frame(name(), codec::http::kebab(info_.name), state_follows));
  }
  if (state_follows) guest.send(frames::state_frame(state_text()));
  guest.send(frames::mcp_servers_frame);
}

// `without` stands for every connection with its id, as broadcasts of the Agents SDK have it.
void Host::broadcast_protocol(std::string_view frame, const Connection* without) {
  if (protocol_members_ == 0) return;
  std::vector<std::uint32_t>& left_out = runtime_.scratch().excluded;
  left_out.clear();
  if (without != nullptr || protocol_members_ != group_.members.size()) {
    const std::string_view id = without == nullptr ? std::string_view() : without->id();
    for (std::uint32_t i = 0; i < group_.members.size(); ++i) {
      const connection::Member& member = group_.members[i];
      if (!hub().record(member).has(flag::protocol) || (without != nullptr && member.id() == id)) {
        left_out.push_back(i);
      }
    }
  }
  send_to_all_but(left_out, codec::ws::Opcode::text,
                  std::as_bytes(std::span(frame.data(), frame.size())));
}

bool Host::is_protocol_enabled(const Connection& connection) const {
  return hub().record(connection).has(flag::protocol);
}

bool Host::is_readonly(const Connection& connection) const {
  return hub().record(connection).has(flag::readonly);
}

void Host::set_readonly(Connection& connection, bool readonly) {
  Record& record = hub().record(connection);
  if (readonly) {
    record.set(flag::readonly);
  } else {
    record.clear(flag::readonly);
  }
  hub().renew_seal(record);
}

Connection* Host::caller() {
  return awake_ == nullptr ? nullptr : resolve(awake_->caller);
}

// False: the message is the application's.
bool Host::handle_frame(std::uint32_t member, std::string_view text) {
  frames::ClientFrame frame = runtime_.frame_reader().read(text);
  Connection& from = group_.members[member];
  if (auto* update = std::get_if<frames::StateUpdate>(&frame)) {
    update_state(from, std::move(update->state));
    return true;
  }
  if (auto* call = std::get_if<frames::Call>(&frame)) {
    run_call(from, *call);
    return true;
  }
  return false;
}

}  // namespace ringroom::detail
