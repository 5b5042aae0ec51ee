// The state of a room: one JSON value. Kept encoded with the room, as its clients get it, and as a
// value while the agent is awake and has asked for it.
#include "agent/guard.h"
#include "base/log.h"
#include "codec/agents/server_frame.h"

#include <stdexcept>

namespace ringroom::detail {

namespace frames = codec::agents;

namespace {
const json no_state;
constexpr std::string_view readonly_error = "Connection is readonly";
}  // namespace

bool Host::has_state() {
  load_state();
  return awake_->state.has_value();
}

const json& Host::state() {
  return has_state() ? *awake_->state : no_state;
}

// At its first use since the agent woke. A room that never had one gets the initial state, by the
// same steps as any other.
void Host::load_state() {
  if (awake_->state_is_loaded) return;
  awake_->state_is_loaded = true;
  if (settings_ != nullptr && settings_->state) {
    awake_->state = json::parse(*settings_->state);
    return;
  }
  try {
    if (auto initial = agent_->initial_state()) {
      accept_state(std::move(*initial), nullptr);
      tell_state_changed(nullptr);
    }
  } catch (...) {
    awake_->state_is_loaded = false;  // tried again at the next use
    throw;
  }
}

void Host::set_state(json next) {
  if (const Connection* connection = caller(); connection != nullptr && is_readonly(*connection)) {
    throw std::runtime_error(std::string(readonly_error));
  }
  apply_state(std::move(next), nullptr);
}

// Throws what validation throws, and nothing has changed then.
void Host::accept_state(json next, Connection* source) {
  agent_->validate_state_change(next, source);
  settings().state = next.dump();
  awake_->state = std::move(next);
}

void Host::apply_state(json next, Connection* source) {
  load_state();
  accept_state(std::move(next), source);
  settings_->state_was_set = true;
  broadcast_protocol(frames::state_frame(*settings_->state), source);
  tell_state_changed(source);
}

void Host::tell_state_changed(Connection* source) {
  guard("on_state_changed", source, [&] { agent_->on_state_changed(*awake_->state, source); });
}

// A client's: it is told of a refusal, whether or not it gets the protocol's other frames.
void Host::update_state(Connection& from, json next) {
  const ConnectionRef to = from.ref();
  if (is_readonly(from)) return send_text(to, frames::state_error_frame(readonly_error));
  const auto refuse = [&](const std::exception_ptr& cause) {
    base::log_info(title() + ": a client's state was refused: " + text_of(cause));
    send_text(to, frames::state_error_frame("State update rejected"));
  };
  run(
      "validate_state_change", &from, [&] { apply_state(std::move(next), &from); }, refuse);
}

}  // namespace ringroom::detail
