// Running what is due in a room: one job after the other, in the order of their times. What a job
// writes and that it is done are one commit, so it runs again only if its writes are lost.
#include "agent/alarms.h"
#include "agent/cron.h"
#include "agent/guard.h"
#include "agent/runtime.h"
#include "base/log.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace ringroom::detail {

using agent_runtime::Cron;
using agent_runtime::Job;

namespace {

// Of one room in a turn.
constexpr int jobs_each_turn = 16;
// A task that hasn't answered by then doesn't keep the others waiting any more.
constexpr std::chrono::nanoseconds patience = std::chrono::seconds(30);
constexpr std::string_view earliest =
    "SELECT id, fn, time, payload, retry_options, capability FROM cf_agents_jobs "
    "ORDER BY time, id LIMIT 1";
constexpr std::string_view no_answer = "the task has not answered within 30 seconds";
// A room whose agent can't be made, or whose database can't be used, is looked at again then.
constexpr std::int64_t retry_ms = 30'000;

std::uint64_t milliseconds_below(std::uint64_t random, std::int64_t bound) {
  return bound <= 0 ? 0 : random % static_cast<std::uint64_t>(bound);
}

std::uint64_t pause_ns(const RetryOptions& retry, unsigned runs, std::uint64_t random) {
  const std::int64_t most = retry.delay_max.count();
  std::int64_t pause_ms = retry.delay.count();
  for (unsigned i = 0; i < runs && pause_ms < most; ++i) pause_ms *= 2;
  return milliseconds_below(random, std::min(pause_ms, most)) * 1'000'000;
}

}  // namespace

// Called when the shard's index has a time of this room that has come; the database knows whether
// there is anything to do. A room that is asleep is woken only if there is.
void Host::run_due_jobs() {
  if (must_wait()) return when_ready([](Host& host) { host.run_due_jobs(); });
  if (awake_ == nullptr) begin_awake();
  if (awake_->job != nullptr) return;  // and goes on behind that
  go_on_with_jobs([this] {
    for (int i = 0; i < jobs_each_turn && start_next_job(); ++i) {
    }
  });
}

template <typename Step>
void Host::go_on_with_jobs(Step step) {
  try {
    step();
    if (awake_->job == nullptr) settle_jobs();
  } catch (const std::exception& error) {
    put_jobs_off(error);
  }
}

void Host::put_jobs_off(const std::exception& error) {
  base::log_error(title() + ": what is due can't be done: " + error.what());
  awake_->job.reset();
  runtime_.alarms().settle(*this, runtime_.wall_ms() + retry_ms);
}

void Host::settle_jobs() {
  std::optional<std::int64_t> next;
  if (has_jobs() && !room_store().is_destroyed()) {
    const SqlRows rows = own_sql(earliest, {});
    if (!rows.empty()) next = rows.front()[2].integer();
  }
  runtime_.alarms().settle(*this, next);
}

// True: it has run, and there may be more.
bool Host::start_next_job() {
  if (!has_jobs() || room_store().is_destroyed()) return false;
  const SqlRows rows = own_sql(earliest, {});
  if (rows.empty() || rows.front()[2].integer() > runtime_.wall_ms()) return false;
  auto job = std::make_unique<Job>();
  job->is_alarm = rows.front()[5].text() == "alarm";
  job->schedule.time_ms = rows.front()[2].integer();
  if (!job->is_alarm) job->schedule = schedule_of(rows.front());
  if (agent() == nullptr && !wake()) {
    throw std::runtime_error(runtime_.scratch().setup_failure);
  }
  const std::int64_t late_ms = runtime_.wall_ms() - job->schedule.time_ms;
  runtime_.shard().job_late_by(static_cast<std::uint64_t>(late_ms) * 1'000'000);
  awake_->job = std::move(job);
  run_job();
  return awake_->job == nullptr;
}

void Host::run_job() {
  touch();
  Job& job = *awake_->job;
  ++job.runs;
  job.thrown = nullptr;
  Deferred<json> answer;
  const auto note = [&](const std::exception_ptr& cause) {
    job.thrown = cause;
    answer.reject(text_of(cause));
  };
  if (job.is_alarm) {
    run(
        "on_alarm", nullptr,
        [&] {
          awake_->agent->on_alarm();
          answer.resolve(nullptr);
        },
        note);
  } else if (const auto* task = info_.find_task(job.schedule.task)) {
    run(
        "task", nullptr, [&] { answer = task->call(*awake_->agent, job.schedule); }, note);
  } else {
    base::log_error(title() + ": there is no task '" + job.schedule.task + "' any more");
    answer.resolve(nullptr);
  }
  await_job(answer);
}

// One that answers later has its time for it.
void Host::await_job(const Deferred<json>& answer) {
  if (answer.is_answered()) {
    std::optional<std::string> failure;
    answer.then([](const json&) {}, [&](const std::string& why) { failure = why; });
    return job_ran(failure, true);
  }
  ++link()->requests_open;
  const std::uint64_t run = ++awake_->last_job_run;
  const auto give_up = [this, run] { job_answered(run, std::string(no_answer), false); };
  awake_->job->patience =
      TimerId{add_task(static_cast<std::uint64_t>(patience.count()), 0, give_up)};
  const auto answered = [room = link(), run](const std::string* failure) {
    --room->requests_open;
    if (room->host == nullptr) return;
    std::optional<std::string> why;
    if (failure != nullptr) why = *failure;
    room->host->job_answered(run, std::move(why), true);
  };
  answer.then([answered](const json&) { answered(nullptr); },
              [answered](const std::string& why) { answered(&why); });
}

// A run that was given up may still answer: nobody listens.
void Host::job_answered(std::uint64_t run, std::optional<std::string> failure, bool may_retry) {
  if (awake_->job == nullptr || awake_->last_job_run != run) return;
  cancel_task(awake_->job->patience);
  go_on_with_jobs([&] { job_ran(failure, may_retry); });
}

void Host::job_ran(const std::optional<std::string>& failure, bool may_retry) {
  const Job& job = *awake_->job;
  const RetryOptions retry = job.schedule.retry.value_or(RetryOptions{});
  if (failure && may_retry && job.runs < retry.attempts_max) {
    base::log_info(title() + ": a job failed and is tried again: " + *failure);
    add_task(pause_ns(retry, job.runs, runtime_.random().next()), 0,
             [this] { go_on_with_jobs([this] { run_job(); }); });
    return;
  }
  if (failure) {
    const auto cause =
        job.thrown != nullptr ? job.thrown : std::make_exception_ptr(std::runtime_error(*failure));
    report(job.is_alarm ? "on_alarm" : "task", nullptr, cause);
  }
  end_job();
}

// Its row goes, or gets the next time.
void Host::end_job() {
  const std::unique_ptr<Job> job = std::move(awake_->job);
  const Schedule& done = job->schedule;
  if (job->is_alarm) {
    if (!job->is_set_anew) own_sql("DELETE FROM cf_agents_jobs WHERE capability = 'alarm'", {});
    return;
  }
  const std::int64_t now_ms = runtime_.wall_ms();
  std::optional<std::int64_t> next_ms;
  if (done.type == ScheduleType::cron) next_ms = Cron(done.cron).next(now_ms);
  if (done.type == ScheduleType::interval) next_ms = now_ms + done.period.count();
  if (next_ms && info_.find_task(done.task)) {
    const SqlValue values[] = {*next_ms, done.time_ms, done.id};
    own_sql("UPDATE cf_agents_jobs SET time = ? WHERE time = ? AND id = ?", values);
  } else {
    const SqlValue values[] = {done.time_ms, done.id};
    own_sql("DELETE FROM cf_agents_jobs WHERE time = ? AND id = ?", values);
  }
}

}  // namespace ringroom::detail
