// An agent's database: its queries, its keys and values, and the output gate that closes with the
// first write of a turn.
#include "ringroom/storage.h"

#include "agent/guard.h"
#include "base/log.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace ringroom {

namespace detail {

using store::Committed;

namespace {
constexpr const char* storage_failed = "the room's storage failed";
// In the words of the Agents SDK.
constexpr const char* room_destroyed = "Durable Object destroyed";
}  // namespace

store::RoomStore& Host::room_store() {
  if (awake_->store == nullptr) {
    std::optional<store::Found> found;
    if (std::exchange(awake_->has_no_file, false)) found = store::Found::nowhere;
    awake_->store = std::make_unique<store::RoomStore>(runtime_.store(), identity(), room_, found);
  }
  return *awake_->store;
}

// Also when a query fails: the statement before it may have written.
class Host::GateCloser {
 public:
  explicit GateCloser(Host& host) : host_(host) {}
  GateCloser(const GateCloser&) = delete;
  GateCloser& operator=(const GateCloser&) = delete;
  ~GateCloser() {
    Awake& awake = *host_.awake_;
    const store::Store& store = host_.runtime_.store();
    if (awake.gate_closing || store.in_memory() || !host_.room_store().has_written()) return;
    awake.gate_closing = true;
    awake.gate_before = host_.group_.gate;
    host_.hub().close_gate(host_.room_, store.batch_number());
  }

 private:
  Host& host_;
};

SqlRows Host::sql(std::string_view query, std::span<const SqlValue> values) {
  const GateCloser closer(*this);
  return room_store().database().run(query, values);
}

SqlRows Host::own_sql(std::string_view query, std::span<const SqlValue> values) {
  const GateCloser closer(*this);
  return room_store().database().run_own(query, values);
}

void Host::begin_transaction() {
  room_store().database().begin_nested();
}

void Host::end_transaction(bool undo) {
  const GateCloser closer(*this);
  store::Database& database = room_store().database();
  if (!undo) return database.end_nested();
  try {
    database.undo_nested();
    reread_state();
  } catch (const std::exception& error) {
    // Something throws already; if the database is lost, it says so at the end of the turn.
    base::log_error(title() + ": " + error.what());
  }
}

void Host::destroy() {
  const GateCloser closer(*this);
  room_store().destroy();
}

bool Host::is_gated() const {
  return hub().is_gated(group_);
}

void Host::committed(Committed result) {
  const bool closed = std::exchange(awake_->gate_closing, false);
  if (result == Committed::nothing && closed) {
    hub().reopen_gate(room_, awake_->gate_before);
    for (HeldBack& held : awake_->held_back) held.batch = std::min(held.batch, awake_->gate_before);
  }
  if (result == Committed::lost) {
    base::log_error(title() + ": the writes of a turn could not be committed and are lost");
    lose_turn(closed);
  } else if (awake_->store->is_destroyed()) {
    end_room();
  }
}

// What the room wrote in earlier turns may be durable later, or lost later. If the log has failed
// in the middle of the turn, its batch is another one than that of the gate.
void Host::lose_turn(bool gate_was_closed) {
  const std::uint64_t gate = group_.gate;
  const std::uint64_t before = gate_was_closed ? awake_->gate_before : gate;
  lose_writes(gate_was_closed ? gate : runtime_.store().batch_number());
  hub().close_gate(room_, before);
  if (is_gated()) runtime_.note_ended(room_);
}

// No on_close: it would wake a new room to tell it of connections that it never had. What the agent
// has said leaves first, and all of it when the end is durable.
void Host::end_room() {
  flush_all();
  while (!group_.members.empty()) {
    const std::uint32_t slot = ConnectionAccess::slot(group_.members.back());
    connection::Record& record = hub().slab()[slot];
    if (record.stage == connection::Stage::open) {
      hub().mark_closing(slot);
      hub().queue_close_frame(slot, number(CloseCode::going_away), room_destroyed);
    }
    leave(record);
    hub().finish(slot, true);
  }
  if (agent() != nullptr) end_agent();
  awake_->store->abandon();
  awake_->store.reset();
  settings_ = nullptr;
  begin_awake();  // so that a room nobody comes to goes
  if (is_gated()) runtime_.note_ended(room_);
}

// What the agent knows may be more than what is stored: it is made anew, from what is.
void Host::lose_writes(std::uint64_t batch) {
  hub().lose(room_, batch);
  if (awake_ == nullptr) return;
  for (const HeldBack& held : std::exchange(awake_->held_back, {})) held.refuse(storage_failed);
  if (agent() != nullptr) end_agent();
  if (awake_->store != nullptr) awake_->store->abandon();
  awake_->store.reset();
  runtime_.alarms().lose(*this);
  begin_awake();  // so that a room nobody is in goes
}

void Host::hold_back(std::function<void()> give, std::function<void(const std::string&)> refuse) {
  awake_->held_back.push_back({group_.gate, std::move(give), std::move(refuse)});
  runtime_.note_held_back(room_);
}

// In the order in which it was held back, which is that of the batches. What is given may hold more
// back.
bool Host::release_held_back(std::size_t& left) {
  if (awake_ == nullptr || awake_->held_back.empty()) return true;
  const std::uint64_t durable = runtime_.store().durable();
  if (left == 0 || awake_->held_back.front().batch > durable) return false;
  std::vector<HeldBack> held = std::exchange(awake_->held_back, {});
  auto next = held.begin();
  for (; next != held.end() && next->batch <= durable && left > 0; ++next, --left) next->give();
  awake_->held_back.insert(awake_->held_back.begin(), std::make_move_iterator(next),
                           std::make_move_iterator(held.end()));
  return awake_->held_back.empty();
}

}  // namespace detail

SqlRows Agent::run_sql(std::string_view query, std::span<const SqlValue> values) {
  return host_->sql(query, values);
}
void Agent::begin_transaction() {
  host_->begin_transaction();
}
void Agent::end_transaction(bool undo) {
  host_->end_transaction(undo);
}
void Agent::destroy() {
  host_->destroy();
}

// ---- Keys and values

namespace {

constexpr std::size_t key_bytes_max = 2048;
constexpr std::size_t value_bytes_max = std::size_t{2} << 20U;

void check_key(std::string_view key) {
  if (key.empty() || key.size() > key_bytes_max) {
    throw std::length_error("a storage key must have 1 to 2048 bytes, not " +
                            std::to_string(key.size()));
  }
}

// Without the table there is nothing yet.
bool has_table(detail::Host& host) {
  return !host.own_sql("SELECT 1 FROM sqlite_master WHERE name = '_cf_KV'", {}).empty();
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string text_of(const SqlValue& key) {
  return {reinterpret_cast<const char*>(key.blob().data()), key.blob().size()};
}

}  // namespace

std::optional<json> Storage::get(std::string_view key) const {
  check_key(key);
  if (!has_table(*host_)) return std::nullopt;
  const SqlValue values[] = {bytes_of(key)};
  const SqlRows rows = host_->own_sql("SELECT value FROM _cf_KV WHERE key = ?", values);
  if (rows.empty()) return std::nullopt;
  return json::parse(rows.front()[0].text());
}

void Storage::put(std::string_view key, const json& value) {
  check_key(key);
  std::string text = value.dump();
  if (text.size() > value_bytes_max) {
    throw std::length_error(
        "a stored value must not be larger than 2097152 bytes of JSON. It has " +
        std::to_string(text.size()) + ".");
  }
  host_->own_sql(
      "CREATE TABLE IF NOT EXISTS _cf_KV (key BLOB PRIMARY KEY, value TEXT) WITHOUT ROWID", {});
  const SqlValue values[] = {bytes_of(key), std::move(text)};
  host_->own_sql("INSERT OR REPLACE INTO _cf_KV VALUES (?, ?)", values);
}

bool Storage::erase(std::string_view key) {
  check_key(key);
  if (!has_table(*host_)) return false;
  const SqlValue values[] = {bytes_of(key)};
  return !host_->own_sql("DELETE FROM _cf_KV WHERE key = ? RETURNING 1", values).empty();
}

std::size_t Storage::erase_all() {
  if (!has_table(*host_)) return 0;
  return host_->own_sql("DELETE FROM _cf_KV RETURNING 1", {}).size();
}

std::map<std::string, json> Storage::list(const ListOptions& options) const {
  std::map<std::string, json> found;
  if (!has_table(*host_)) return found;
  // Bytes compare as numbers, so that all keys with a prefix lie between it and it with a 255.
  const std::string_view from = std::max(options.prefix, options.start.value_or(""));
  std::string behind(options.prefix);
  behind.append(key_bytes_max, '\xff');
  if (options.end && *options.end < behind) behind = *options.end;
  const SqlValue values[] = {
      bytes_of(from), bytes_of(behind),
      options.limit ? static_cast<std::int64_t>(*options.limit) : std::int64_t{-1}};
  const SqlRows rows = host_->own_sql(
      options.reverse
          ? "SELECT key, value FROM _cf_KV WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?"
          : "SELECT key, value FROM _cf_KV WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
      values);
  for (const SqlRows::Row row : rows) found[text_of(row[0])] = json::parse(row[1].text());
  return found;
}

}  // namespace ringroom
