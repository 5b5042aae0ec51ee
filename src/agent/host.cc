#include "agent/host.h"

#include "agent/guard.h"
#include "agent/runtime.h"
#include "base/assert.h"
#include "base/log.h"

namespace ringroom::detail {

using agent_runtime::RoomTimer;

Host::Host(agent_runtime::Runtime& runtime, const AgentClassInfo& info, std::string_view name)
    : runtime_(runtime),
      info_(info),
      name_(name),
      room_(runtime.hub().add_group(group_)),
      tick_hz_(info.options.tick_hz) {
  idle_timer_.kind = static_cast<std::uint8_t>(RoomTimer::idle);
  tick_timer_.kind = static_cast<std::uint8_t>(RoomTimer::tick);
  idle_timer_.owner = room_;
  tick_timer_.owner = room_;
}

Host::~Host() {
  sleep();
  runtime_.timers().cancel(idle_timer_);
  hub().remove_group(room_);
}

connection::Hub& Host::hub() const {
  return runtime_.hub();
}

// Constructor and on_start, at creation and whenever an event meets a sleeping agent.
bool Host::wake() {
  AgentContext context(*this);
  const bool made = guard("constructor", nullptr, [&] { agent_ = info_.make(context); });
  if (!made) {
    agent_.reset();
    return false;
  }
  ++runtime_.counts().agents_awake;
  ++runtime_.counts().agents_created;
  touch();
  const auto props = runtime_.options().props.find(std::string(info_.name));
  const json none;
  const bool started = guard("on_start", nullptr, [&] {
    agent_->on_start(props == runtime_.options().props.end() ? none : props->second);
  });
  if (!started) {
    sleep();  // tried again at the next event
    return false;
  }
  if (!group_.members.empty()) start_ticks();
  return true;
}

void Host::sleep() {
  stop_ticks();
  tick_hz_ = info_.options.tick_hz;
  for (const auto& task : tasks_) runtime_.timers().cancel(task->timer);
  tasks_.clear();
  if (agent_ == nullptr) return;
  guard("destructor", nullptr, [&] { agent_.reset(); });
  locals_.clear();
  --runtime_.counts().agents_awake;
}

std::vector<std::string> Host::why_awake() const {
  std::vector<std::string> reasons;
  if (agent_ == nullptr) return reasons;
  const auto& after = runtime_.options().hibernate_after;
  if (!after || !info_.options.hibernate) {
    reasons.emplace_back("never hibernates");
  } else if (runtime_.now_ns() - last_event_ns_ < static_cast<std::uint64_t>(after->count())) {
    reasons.emplace_back("message");
  }
  if (tick_timer_.is_set()) reasons.emplace_back("tick");
  if (!tasks_.empty()) reasons.emplace_back("timer");
  if (requests_open_ > 0) reasons.emplace_back("request");
  bool outbox = false;
  bool partial = false;
  for (const connection::Member& member : group_.members) {
    const connection::Active* active = hub().active(hub().record(member));
    if (active == nullptr) continue;
    outbox = outbox || !active->backlog.empty();
    partial = partial || !active->decoder.idle();
  }
  if (outbox) reasons.emplace_back("outbox");
  if (partial) reasons.emplace_back("partial message");
  return reasons;
}

void Host::report(const char* where, Connection* connection, const std::exception_ptr& cause) {
  std::string message = "Unknown error occurred";
  try {
    std::rethrow_exception(cause);
  } catch (const std::exception& thrown) {
    message = thrown.what();
  } catch (...) {
  }
  ++runtime_.counts().callbacks_failed;
  setup_failure_ = message;
  base::log_error(std::string(info_.name) + "/" + name_ + ": " + where + " threw: " + message);
  if (agent_ == nullptr) return;
  const Error error(where, message, cause);
  try {
    if (connection != nullptr) {
      agent_->on_error(*connection, error);
    } else {
      agent_->on_error(error);
    }
  } catch (...) {
    base::log_error(std::string(info_.name) + "/" + name_ + ": on_error threw, too");
  }
}

Connection* Host::resolve(ConnectionRef ref) {
  const connection::Record* record = hub().find(ref.index, ref.generation);
  if (record == nullptr || record->room != room_) return nullptr;
  return &group_.members[record->member];
}

void* Host::local_value(const LocalType& type, const Connection& connection) {
  return locals_.at(type, member_index(connection), group_.members.size());
}

void Host::leave(connection::Record& record) {
  const std::uint32_t index = record.member;
  const std::uint32_t last = hub().leave(record);
  locals_.leave(index, last);
  if (group_.members.empty()) stop_ticks();
}

}  // namespace ringroom::detail
