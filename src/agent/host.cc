#include "agent/host.h"

#include "agent/guard.h"
#include "agent/runtime.h"
#include "base/assert.h"
#include "base/log.h"
#include "codec/agents/server_frame.h"

#include <algorithm>
#include <utility>

namespace ringroom::detail {

using agent_runtime::AwakeReason;
using agent_runtime::AwakeReasons;
using agent_runtime::RoomTimer;

Host::Host(agent_runtime::Runtime& runtime, const AgentClassInfo& info, std::string_view name)
    : runtime_(runtime),
      info_(info),
      name_(std::make_unique_for_overwrite<char[]>(name.size())),
      name_bytes_(name.size() & 0x7ffU),
      room_(runtime.hub().add_group(group_)) {
  ASSERT(name.size() <= limits::room_name_bytes_max);
  std::copy(name.begin(), name.end(), name_.get());
}

Host::~Host() {
  sleep();
  hub().remove_group(room_);
}

connection::Hub& Host::hub() const {
  return runtime_.hub();
}

// Constructor and on_start, at creation and whenever an event meets a sleeping agent.
bool Host::wake() {
  begin_awake();
  AgentContext context(*this);
  const bool made = guard("constructor", nullptr, [&] { awake_->agent = info_.make(context); });
  if (!made) {
    awake_->agent.reset();
    begin_awake();  // so that a room nobody is in goes
    return false;
  }
  runtime_.note_awake(*this);
  ++runtime_.counts().agents_created;
  const auto props = runtime_.options().props.find(std::string(info_.name));
  const json none;
  const bool started = guard("on_start", nullptr, [&] {
    awake_->agent->on_start(props == runtime_.options().props.end() ? none : props->second);
  });
  if (!started) {
    flush_all();
    end_agent();
    begin_awake();  // tried again at the next event
    return false;
  }
  if (!group_.members.empty()) start_ticks();
  // A client learns the MCP servers anew whenever the agent wakes, before anything else.
  broadcast_protocol(codec::agents::mcp_servers_frame, nullptr);
  return true;
}

void Host::sleep() {
  if (agent() != nullptr) {
    flush_all();
    end_agent();
  }
  forget_awake();
}

void Host::end_agent() {
  guard("destructor", nullptr, [&] { awake_->agent.reset(); });
  runtime_.note_asleep(*this);
  if (is_gated()) runtime_.note_ended(room_);
}

// What was asked of the database before stays open, and so does the end of a turn in which it was
// written to.
void Host::begin_awake() {
  std::unique_ptr<store::RoomStore> store;
  std::vector<HeldBack> held_back;
  const bool gate_closing = awake_ != nullptr && awake_->gate_closing;
  const std::uint64_t gate_before = awake_ == nullptr ? 0 : awake_->gate_before;
  const bool has_no_file = awake_ != nullptr && awake_->has_no_file;
  if (awake_ != nullptr) {
    store = std::move(awake_->store);
    held_back = std::move(awake_->held_back);
  }
  forget_awake();
  const std::uint32_t place = runtime_.awake_pool().make();
  awake_ = &runtime_.awake_pool()[place];
  awake_->place = place;
  awake_->store = std::move(store);
  awake_->has_no_file = has_no_file;
  awake_->held_back = std::move(held_back);
  awake_->gate_closing = gate_closing;
  awake_->gate_before = gate_before;
  awake_->last_event_ns = runtime_.now_ns();
  awake_->tick_hz = info_.options.tick_hz;
  awake_->tick.kind = static_cast<std::uint8_t>(RoomTimer::tick);
  awake_->tick.owner = room_;
  awake_->idle.kind = static_cast<std::uint8_t>(RoomTimer::idle);
  awake_->idle.owner = room_;
  if (const auto& after = runtime_.options().hibernate_after) {
    const auto wait_ns = static_cast<std::uint64_t>(after->count());
    runtime_.timers().set(awake_->idle, awake_->last_event_ns + wait_ns);
  }
}

void Host::forget_awake() {
  if (awake_ == nullptr) return;
  stop_ticks();
  runtime_.timers().cancel(awake_->idle);
  for (const auto& task : awake_->tasks) runtime_.timers().cancel(task->timer);
  awake_->tasks.clear();  // answers that they hold are dropped while they are still counted
  if (awake_->link != nullptr) awake_->link->host = nullptr;
  forget_questions();
  runtime_.awake_pool().destroy(std::exchange(awake_, nullptr)->place);
}

AwakeReasons Host::awake_reasons() const {
  AwakeReasons reasons;
  if (agent() == nullptr) return reasons;
  const auto& after = runtime_.options().hibernate_after;
  // Whoever names rooms can't fill the memory: one that nobody is in goes, of any class.
  const bool never = !after || (!info_.options.hibernate && !group_.members.empty());
  reasons.add(AwakeReason::never_hibernates, never);
  reasons.add(AwakeReason::message, !never && runtime_.now_ns() - awake_->last_event_ns <
                                                  static_cast<std::uint64_t>(after->count()));
  reasons.add(AwakeReason::tick, awake_->tick.is_set());
  reasons.add(AwakeReason::timer, !awake_->tasks.empty());
  reasons.add(AwakeReason::request, (awake_->link != nullptr && awake_->link->requests_open > 0) ||
                                        !awake_->open_questions.empty());
  reasons.add(AwakeReason::keep_alive, settings_ != nullptr && *settings_->keep_alives > 0);
  reasons.add(AwakeReason::outbox, hub().has_slow(group_));
  reasons.add(AwakeReason::output_gate, is_gated());
  if (reasons.empty()) reasons.add(AwakeReason::partial_message, has_partial_message());
  return reasons;
}

// A walk over the room, so it is asked last.
bool Host::has_partial_message() const {
  return std::any_of(group_.members.begin(), group_.members.end(), [this](const auto& member) {
    const connection::Active* active = hub().active(hub().record(member));
    return active != nullptr && !(active->decoder.idle() && active->input.empty());
  });
}

std::vector<std::string> Host::why_awake() const {
  const AwakeReasons reasons = awake_reasons();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < agent_runtime::awake_reason_names.size(); ++i) {
    if (reasons.has(i)) names.emplace_back(agent_runtime::awake_reason_names[i]);
  }
  return names;
}

std::string Host::title() const {
  return std::string(info_.name) + "/" + std::string(name());
}

void Host::report(const char* where, Connection* connection, const std::exception_ptr& cause) {
  const std::string message = text_of(cause);
  ++runtime_.counts().callbacks_failed;
  runtime_.scratch().setup_failure = message;
  runtime_.scratch().error_passed_on = agent() == nullptr;
  base::log_error(title() + ": " + where + " threw: " + message);
  tell_agent(connection, Error(where, message, cause));
}

void Host::tell_agent(Connection* connection, const Error& error) {
  if (agent() == nullptr) return;
  try {
    if (connection != nullptr) {
      awake_->agent->on_error(*connection, error);
    } else {
      awake_->agent->on_error(error);
    }
  } catch (...) {
    runtime_.scratch().error_passed_on = true;
    base::log_error(title() + ": on_error threw, too");
  }
}

Connection* Host::resolve(ConnectionRef ref) {
  const connection::Record* record = hub().find(ref.index, ref.generation);
  if (record == nullptr || record->room != room_) return nullptr;
  return &group_.members[record->member];
}

void* Host::local_value(const LocalType& type, const Connection& connection) {
  return awake_->locals.at(type, member_index(connection), group_.members.size());
}

// Whether what comes from it may wait, if its class says so: for a tick, or since answers do.
bool Host::may_gather(const connection::Record& record) const {
  return info_.options.tick_hz > 0 || record.has(connection::flag::batched);
}

void Host::leave(connection::Record& record) {
  if (record.has(connection::flag::protocol)) --protocol_members_;
  const std::uint32_t index = record.member;
  const bool was_batched = record.has(connection::flag::batched);
  const bool gathers = may_gather(record);
  const std::uint32_t last = hub().leave(record);
  if (gathers) runtime_.gathering().leave(info_.options.gather_ms);
  if (awake_ == nullptr) return;
  if (awake_->queues != nullptr) awake_->queues->leave(index, last);
  if (was_batched && awake_->batched != UINT32_MAX) --awake_->batched;
  awake_->locals.leave(index, last);
  if (group_.members.empty()) stop_ticks();
}

}  // namespace ringroom::detail
