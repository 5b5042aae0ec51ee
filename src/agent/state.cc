// The state of a room: one JSON value, in the room's database since it was first set. While the
// agent is awake it is kept encoded, as clients get it, and as a value for who has asked for it.
#include "agent/guard.h"
#include "base/log.h"
#include "codec/agents/server_frame.h"

#include <stdexcept>

namespace ringroom::detail {

namespace frames = codec::agents;

namespace {
const json no_state;
constexpr std::string_view readonly_error = "Connection is readonly";
constexpr const char* state_table = "cf_agents_state";
}  // namespace

bool Host::has_state() {
  load_state();
  return !awake_->state_text.empty();
}

const json& Host::state() {
  if (!has_state()) return no_state;
  if (!awake_->state) awake_->state = json::parse(awake_->state_text);
  return *awake_->state;
}

// At its first use since the agent woke. A room that never had one gets the initial state, by the
// same steps as any other; it isn't written, since the class has it.
void Host::load_state() {
  if (awake_->state_is_loaded) return;
  awake_->state_is_loaded = true;
  try {
    awake_->state_text = stored_state();
    if (awake_->state_text.empty() && settings_ != nullptr) {
      awake_->state_text = settings_->initial_state;
    }
    if (!awake_->state_text.empty()) return;
    auto initial = awake_->agent->initial_state();
    if (!initial) return;
    awake_->agent->validate_state_change(*initial, nullptr);
    settings().initial_state = initial->dump();
    awake_->state_text = settings_->initial_state;
    awake_->state = std::move(initial);
    tell_state_changed(nullptr);
  } catch (...) {
    awake_->state_is_loaded = false;  // tried again at the next use
    throw;
  }
}

// Empty: none was ever set. A room without a database isn't given one.
std::string Host::stored_state() {
  store::Database* database = room_store().existing();
  if (database == nullptr || !database->has_table(state_table)) return {};
  const SqlRows rows =
      own_sql("SELECT state FROM cf_agents_state WHERE id = 'cf_state_row_id'", {});
  return rows.empty() ? std::string() : rows.front()[0].text();
}

void Host::store_state(const std::string& text) {
  constexpr std::string_view set =
      "INSERT OR REPLACE INTO cf_agents_state VALUES ('cf_state_row_id', ?)";
  constexpr std::string_view make_and_set =
      "CREATE TABLE cf_agents_state (id TEXT PRIMARY KEY NOT NULL, state TEXT) WITHOUT ROWID;"
      "INSERT OR REPLACE INTO cf_agents_state VALUES ('cf_state_row_id', ?)";
  const SqlValue values[] = {text};
  own_sql(room_store().database().has_table(state_table) ? set : make_and_set, values);
}

// Behind a transaction that was undone. The clients were told what isn't so any more.
void Host::reread_state() {
  const bool is_stored = settings_ == nullptr || settings_->initial_state.empty();
  if (!awake_->state_is_loaded || !is_stored || awake_->state_text == stored_state()) return;
  awake_->state_is_loaded = false;
  awake_->state_text.clear();
  awake_->state.reset();
  if (has_state()) broadcast_protocol(frames::state_frame(state_text()), nullptr);
}

void Host::set_state(json next) {
  if (const Connection* connection = caller(); connection != nullptr && is_readonly(*connection)) {
    throw std::runtime_error(std::string(readonly_error));
  }
  apply_state(std::move(next), nullptr);
}

// Throws what validation throws, or the database, and nothing has changed then.
void Host::accept_state(json next, Connection* source) {
  awake_->agent->validate_state_change(next, source);
  std::string text = next.dump();
  store_state(text);
  awake_->state_text = std::move(text);
  awake_->state = std::move(next);
  if (settings_ != nullptr) settings_->initial_state = {};
}

void Host::apply_state(json next, Connection* source) {
  load_state();
  accept_state(std::move(next), source);
  broadcast_protocol(frames::state_frame(state_text()), source);
  tell_state_changed(source);
}

void Host::tell_state_changed(Connection* source) {
  guard("on_state_changed", source, [&] { awake_->agent->on_state_changed(state(), source); });
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
