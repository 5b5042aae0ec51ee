// A room's deadlines: falling asleep, ticking, and the agent's own after() and every().
#include "agent/guard.h"
#include "base/assert.h"

#include <algorithm>

namespace ringroom::detail {

using agent_runtime::RoomTimer;

void Host::fire(base::Timer& timer) {
  switch (static_cast<RoomTimer>(timer.kind)) {
    case RoomTimer::idle: return on_idle();
    case RoomTimer::tick: return on_tick();
    case RoomTimer::task: return run_task(timer.detail);
    case RoomTimer::alarm: return on_alarm();
  }
}

// Set once and looked at when it fires, so that a message costs it nothing. May end the host.
void Host::on_idle() {
  const auto after = static_cast<std::uint64_t>(runtime_.options().hibernate_after->count());
  const std::uint64_t now = runtime_.now_ns();
  if (now - last_event_ns_ < after) {
    return runtime_.timers().set(idle_timer_, last_event_ns_ + after);
  }
  if (!awake_reasons().empty()) return runtime_.timers().set(idle_timer_, now + after);
  sleep();
  if (!group_.members.empty()) return runtime_.shard().fell_asleep(room_);
  if (!alarm()) runtime_.remove(*this);
}

void Host::start_ticks() {
  if (tick_hz_ <= 0 || tick_timer_.is_set()) return;
  ticks_start_ns_ = runtime_.now_ns();
  ticks_done_ = 0;
  runtime_.timers().set(tick_timer_, ticks_start_ns_ + tick_step_ns());
}

void Host::stop_ticks() {
  runtime_.timers().cancel(tick_timer_);
}

void Host::set_tick_rate(double hz) {
  stop_ticks();
  tick_hz_ = hz;
  if (!group_.members.empty()) start_ticks();
}

std::uint64_t Host::tick_step_ns() const {
  return static_cast<std::uint64_t>(1e9 / tick_hz_);
}

// Ticks lie on a grid from the start; what a late shard missed is skipped and reported.
void Host::on_tick() {
  const std::uint64_t step = tick_step_ns();
  const std::uint64_t now = runtime_.now_ns();
  const std::uint64_t number = (now - ticks_start_ns_) / step;
  const Tick tick{
      .number = number, .missed = number - ticks_done_ - 1, .dt = std::chrono::nanoseconds(step)};
  runtime_.shard().tick_late_by(now - (ticks_start_ns_ + (ticks_done_ + 1) * step));
  ticks_done_ = number;
  runtime_.timers().set(tick_timer_, ticks_start_ns_ + (number + 1) * step);
  touch();
  guard("on_tick", nullptr, [&] { agent_->on_tick(tick); });
}

TimerId Host::add_task(std::uint64_t delay_ns,
                       std::uint64_t period_ns,
                       std::function<void()> call) {
  auto task = std::make_unique<Task>();
  task->id = next_task_id_++;
  task->period_ns = period_ns;
  task->call = std::move(call);
  task->timer.kind = static_cast<std::uint8_t>(RoomTimer::task);
  task->timer.owner = room_;
  task->timer.detail = task->id;
  runtime_.timers().set(task->timer, runtime_.now_ns() + delay_ns);
  tasks_.push_back(std::move(task));
  return {tasks_.back()->id};
}

void Host::cancel_task(TimerId id) {
  const auto found = std::find_if(tasks_.begin(), tasks_.end(),
                                  [&](const auto& task) { return task->id == id.value; });
  if (found == tasks_.end()) return;
  runtime_.timers().cancel((*found)->timer);
  tasks_.erase(found);
}

void Host::run_task(std::uint64_t id) {
  const auto found =
      std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& task) { return task->id == id; });
  ASSERT(found != tasks_.end());
  // Called from a copy: the call may cancel its own timer.
  const std::function<void()> call = (*found)->call;
  if ((*found)->period_ns > 0) {
    Task& task = **found;
    const std::uint64_t due = task.timer.deadline_ns + task.period_ns;
    const std::uint64_t now = runtime_.now_ns();
    runtime_.timers().set(task.timer, due > now ? due : now + task.period_ns);
  } else {
    tasks_.erase(found);
  }
  touch();
  guard("timer", nullptr, call);
}

}  // namespace ringroom::detail
