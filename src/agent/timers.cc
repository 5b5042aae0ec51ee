// A room's deadlines: falling asleep, ticking, and the agent's own after() and every().
#include "agent/guard.h"
#include "base/assert.h"

#include <algorithm>

namespace ringroom::detail {

using agent_runtime::RoomTimer;

namespace {
constexpr std::uint64_t flush_before_sleep_ns = 1'000'000;
constexpr std::uint64_t tick_phase_ns = 1'000'000;

// The next of the moments, a millisecond or a little more from each other, in which a shard's rooms
// with this step tick: one turn then sends the states of many rooms.
std::uint64_t next_phase(std::uint64_t now_ns, std::uint64_t step_ns) {
  const std::uint64_t phases = std::max<std::uint64_t>(step_ns / tick_phase_ns, 1);
  const std::uint64_t phase_ns = step_ns / phases;
  const std::uint64_t within = now_ns % step_ns;
  return now_ns - within + std::min((within + phase_ns - 1) / phase_ns * phase_ns, step_ns);
}
}  // namespace

void Host::fire(base::Timer& timer) {
  switch (static_cast<RoomTimer>(timer.kind)) {
    case RoomTimer::idle: return on_idle();
    case RoomTimer::tick: return on_tick();
    case RoomTimer::task: return run_task(timer.detail);
    case RoomTimer::alarm: return;  // the shard's, in Alarms
    case RoomTimer::flush: return awake_->queues->flush_due(queues_now());
  }
}

// Set once and looked at when it fires, so that a message costs it nothing. May end the host.
void Host::on_idle() {
  const auto after = static_cast<std::uint64_t>(runtime_.options().hibernate_after->count());
  const std::uint64_t now = runtime_.now_ns();
  if (now - awake_->last_event_ns < after) {
    return runtime_.timers().set(awake_->idle, awake_->last_event_ns + after);
  }
  // Of a room that was destroyed there may be something left to say.
  if (!awake_reasons().empty() || is_gated())
    return runtime_.timers().set(awake_->idle, now + after);
  if (awake_->queues != nullptr && !awake_->queues->empty()) {
    // Asleep once the clients have what was queued.
    flush_all();
    return runtime_.timers().set(awake_->idle, now + flush_before_sleep_ns);
  }
  sleep();
  group_.members.shrink_to_fit();
  if (!group_.members.empty()) return runtime_.shard().fell_asleep(room_);
  runtime_.remove(*this);
}

void Host::start_ticks() {
  if (awake_->tick_hz <= 0 || awake_->tick.is_set()) return;
  awake_->ticks_start_ns = next_phase(runtime_.now_ns(), tick_step_ns());
  awake_->ticks_done = 0;
  runtime_.timers().set(awake_->tick, awake_->ticks_start_ns + tick_step_ns());
}

void Host::stop_ticks() {
  runtime_.timers().cancel(awake_->tick);
}

void Host::set_tick_rate(double hz) {
  stop_ticks();
  awake_->tick_hz = hz;
  if (!group_.members.empty()) start_ticks();
}

std::uint64_t Host::tick_step_ns() const {
  return static_cast<std::uint64_t>(1e9 / awake_->tick_hz);
}

// Ticks lie on a grid from the start; what a late shard missed is skipped and reported.
void Host::on_tick() {
  const std::uint64_t step = tick_step_ns();
  const std::uint64_t now = runtime_.now_ns();
  const std::uint64_t number = (now - awake_->ticks_start_ns) / step;
  const Tick tick{.number = number,
                  .missed = number - awake_->ticks_done - 1,
                  .dt = std::chrono::nanoseconds(step)};
  runtime_.shard().tick_late_by(now - (awake_->ticks_start_ns + (awake_->ticks_done + 1) * step));
  awake_->ticks_done = number;
  runtime_.timers().set(awake_->tick, awake_->ticks_start_ns + (number + 1) * step);
  touch();
  guard("on_tick", nullptr, [&] { awake_->agent->on_tick(tick); });
}

TimerId Host::add_task(std::uint64_t delay_ns,
                       std::uint64_t period_ns,
                       std::function<void()> call) {
  auto task = std::make_unique<Task>();
  task->id = awake_->next_task_id++;
  task->period_ns = period_ns;
  task->caller = awake_->caller;
  task->call = std::move(call);
  task->timer.kind = static_cast<std::uint8_t>(RoomTimer::task);
  task->timer.owner = room_;
  task->timer.detail = task->id;
  runtime_.timers().set(task->timer, runtime_.now_ns() + delay_ns);
  awake_->tasks.push_back(std::move(task));
  return {awake_->tasks.back()->id};
}

void Host::cancel_task(TimerId id) {
  const auto found = std::find_if(awake_->tasks.begin(), awake_->tasks.end(),
                                  [&](const auto& task) { return task->id == id.value; });
  if (found == awake_->tasks.end()) return;
  runtime_.timers().cancel((*found)->timer);
  awake_->tasks.erase(found);
}

void Host::run_task(std::uint64_t id) {
  const auto found = std::find_if(awake_->tasks.begin(), awake_->tasks.end(),
                                  [&](const auto& task) { return task->id == id; });
  ASSERT(found != awake_->tasks.end());
  // Called from a copy: the call may cancel its own timer.
  const std::function<void()> call = (*found)->call;
  Connection* caller = resolve((*found)->caller);
  if ((*found)->period_ns > 0) {
    Task& task = **found;
    const std::uint64_t due = task.timer.deadline_ns + task.period_ns;
    const std::uint64_t now = runtime_.now_ns();
    runtime_.timers().set(task.timer, due > now ? due : now + task.period_ns);
  } else {
    awake_->tasks.erase(found);
  }
  touch();
  run("timer", caller, call,
      [&](const std::exception_ptr& cause) { report("timer", nullptr, cause); });
}

}  // namespace ringroom::detail
