#include "agent/alarms.h"

#include "agent/runtime.h"
#include "base/log.h"

#include <algorithm>

namespace ringroom::agent_runtime {

namespace {
// Of a turn, for the rooms that are due in it, beyond the first: as much as the shard's budget for
// callbacks. The next turn goes on, after what else came meanwhile.
constexpr std::uint64_t look_ns_max = 200'000;
constexpr std::size_t alarms_each_look = 16;
// The wall clock may be set while the shard sleeps, and the machine may have slept.
constexpr std::int64_t wait_ms_max = 1'000;
// After the disk has failed.
constexpr std::int64_t retry_ms = 1'000;
constexpr std::int64_t never = INT64_MAX;

void complain(const SqlError& error) {
  base::log_error(std::string("alarms: ") + error.what() +
                  " (an index that is damaged is made anew by the next start)");
}
}  // namespace

Alarms::Alarms(Runtime& runtime, std::string index) : runtime_(runtime) {
  index_.emplace(runtime.store(), std::move(index));
  timer_.kind = static_cast<std::uint8_t>(RoomTimer::alarm);
  runtime_.timers().set(timer_, 0);
}

Alarms::~Alarms() {
  runtime_.timers().cancel(timer_);
}

void Alarms::cover(const detail::Host& host, std::int64_t time_ms) {
  index_->cover({host.info().name, host.name()}, time_ms);
  if (const auto settled = settled_.find(host.room()); settled != settled_.end()) {
    std::optional<std::int64_t>& later = settled->second.time_ms;
    later = std::min(later.value_or(time_ms), time_ms);
  }
  look_again_from(time_ms);
}

void Alarms::settle(const detail::Host& host, std::optional<std::int64_t> time_ms) {
  settled_.insert_or_assign(host.room(),
                            Settled{host.info().name, std::string(host.name()), time_ms});
}

bool Alarms::settle_all() {
  if (settled_.empty()) return false;
  try {
    for (const auto& [room, settled] : settled_) {
      index_->settle({settled.class_name, settled.room}, settled.time_ms);
      if (settled.time_ms) look_again_from(*settled.time_ms);
    }
  } catch (const SqlError& error) {
    complain(error);
    look_again_later();
  }
  settled_.clear();
  return true;
}

// What was looked at already and isn't settled is looked at twice, which its room bears.
void Alarms::look_again_from(std::int64_t time_ms) {
  if (time_ms <= last_.time_ms) last_ = {time_ms, "", ""};
  if (time_ms >= next_ms_) return;
  next_ms_ = time_ms;
  arm();
}

void Alarms::look_again_later() {
  last_ = {};
  next_ms_ = runtime_.wall_ms() + retry_ms;
  arm();
}

void Alarms::lose(const detail::Host& host) {
  settled_.erase(host.room());
  look_again_later();
}

void Alarms::lose_all() {
  settled_.clear();
  index_->reopen();
  look_again_later();
}

void Alarms::arm() {
  if (next_ms_ == never) return runtime_.timers().cancel(timer_);
  const std::int64_t wall_ms = runtime_.wall_ms();
  const std::int64_t wait_ms = next_ms_ <= wall_ms ? 0 : std::min(next_ms_ - wall_ms, wait_ms_max);
  runtime_.timers().set(timer_,
                        runtime_.now_ns() + static_cast<std::uint64_t>(wait_ms) * 1'000'000);
}

void Alarms::fire() {
  if (next_ms_ <= runtime_.wall_ms()) {
    try {
      look_at_due();
    } catch (const SqlError& error) {
      complain(error);
      return look_again_later();
    }
  }
  arm();
}

void Alarms::look_at_due() {
  const std::vector<store::Alarm> alarms = index_->after(last_, alarms_each_look);
  // What rooms set while they are looked at makes this earlier again.
  next_ms_ = alarms.size() < alarms_each_look ? never : alarms.back().time_ms;
  const std::uint64_t until_ns = runtime_.shard().clock_ns() + look_ns_max;
  for (const store::Alarm& alarm : alarms) {
    const bool is_first = &alarm == &alarms.front();
    const bool is_over = !is_first && runtime_.shard().clock_ns() > until_ns;
    if (alarm.time_ms > runtime_.wall_ms() || is_over) {
      next_ms_ = std::min(next_ms_, alarm.time_ms);
      return;
    }
    last_ = alarm;
    const detail::AgentClassInfo* info = runtime_.shard().find_class(alarm.class_name);
    if (info != nullptr) runtime_.find_or_make(*info, alarm.room).run_due_jobs();
  }
}

void Alarms::stop() {
  settle_all();
  runtime_.timers().cancel(timer_);
  index_.reset();
}

}  // namespace ringroom::agent_runtime
