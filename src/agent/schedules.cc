// What an agent asks to have done later: its schedules and its alarm, as rows of its database, and
// the times of the earliest in the shard's index.
#include "agent/alarms.h"
#include "agent/cron.h"
#include "agent/guard.h"
#include "agent/runtime.h"

#include <algorithm>
#include <stdexcept>

namespace ringroom::detail {

using agent_runtime::Cron;

namespace {

constexpr const char* jobs_table = "cf_agents_jobs";
constexpr std::size_t id_characters = 9;
// What a date of JavaScript can be.
constexpr std::int64_t time_ms_max = 8'640'000'000'000'000;
constexpr std::size_t cron_bytes_max = 256;
constexpr auto attempts_max_max = 1'000U;

bool repeats(ScheduleType type) {
  return type == ScheduleType::cron || type == ScheduleType::interval;
}

// What the row's payload says beside the payload itself.
json details_of(const Schedule& schedule) {
  json details = {{"payload", schedule.payload}, {"type", schedule.type}};
  if (schedule.type == ScheduleType::cron) details["cron"] = schedule.cron;
  if (schedule.period.count() > 0) details["period_ms"] = schedule.period.count();
  return details;
}

SqlValue retry_text(const std::optional<RetryOptions>& retry) {
  if (!retry) return nullptr;
  return json{{"maxAttempts", retry->attempts_max},
              {"baseDelayMs", retry->delay.count()},
              {"maxDelayMs", retry->delay_max.count()}}
      .dump();
}

void check(const std::optional<RetryOptions>& retry) {
  if (!retry) return;
  if (retry->attempts_max < 1 || retry->attempts_max > attempts_max_max) {
    throw std::invalid_argument("retry.attempts_max must be 1 to 1000");
  }
  if (retry->delay.count() <= 0 || retry->delay_max < retry->delay) {
    throw std::invalid_argument("retry.delay must be positive, and at most retry.delay_max");
  }
}

void check_time(std::int64_t time_ms) {
  if (time_ms < -time_ms_max || time_ms > time_ms_max) {
    throw std::invalid_argument(
        "a schedule must be due within 100,000,000 days before or after 1970");
  }
}

}  // namespace

// id, fn, time, payload, retry_options
Schedule Host::schedule_of(const SqlRows::Row& row) {
  const json details = json::parse(row[3].text());
  Schedule schedule;
  schedule.id = row[0].text();
  schedule.task = row[1].text();
  schedule.time_ms = row[2].integer();
  schedule.payload = details.at("payload");
  schedule.type = details.at("type").get<ScheduleType>();
  schedule.cron = details.value("cron", "");
  schedule.period = std::chrono::milliseconds(details.value("period_ms", std::int64_t{0}));
  if (row[4].is_null()) return schedule;
  const json retry = json::parse(row[4].text());
  schedule.retry = RetryOptions{
      .attempts_max = retry.at("maxAttempts").get<unsigned>(),
      .delay = std::chrono::milliseconds(retry.at("baseDelayMs").get<std::int64_t>()),
      .delay_max = std::chrono::milliseconds(retry.at("maxDelayMs").get<std::int64_t>())};
  return schedule;
}

bool Host::has_jobs() {
  store::Database* database = room_store().existing();
  return database != nullptr && database->has_table(jobs_table);
}

// In the order of their times, so that the next one costs the same however many there are.
void Host::add_job(const char* capability, const Schedule& job) {
  runtime_.alarms().cover(*this, job.time_ms);
  if (!room_store().database().has_table(jobs_table)) {
    own_sql(
        "CREATE TABLE cf_agents_jobs (id TEXT NOT NULL, capability TEXT NOT NULL, fn TEXT NOT "
        "NULL, time INTEGER NOT NULL, payload TEXT, retry_options TEXT, created_at INTEGER NOT "
        "NULL, PRIMARY KEY (time, id)) WITHOUT ROWID",
        {});
  }
  const SqlValue values[] = {job.id,
                             capability,
                             job.task,
                             job.time_ms,
                             job.task.empty() ? SqlValue() : SqlValue(details_of(job).dump()),
                             retry_text(job.retry),
                             runtime_.wall_ms()};
  own_sql("INSERT INTO cf_agents_jobs VALUES (?, ?, ?, ?, ?, ?, ?)", values);
}

// ---- The alarm

void Host::set_alarm(std::optional<std::int64_t> at_ms) {
  if (at_ms) check_time(*at_ms);
  if (awake_->job != nullptr) awake_->job->is_set_anew |= awake_->job->is_alarm;
  if (has_jobs()) own_sql("DELETE FROM cf_agents_jobs WHERE capability = 'alarm'", {});
  if (!at_ms) return;
  Schedule job;
  job.id = "alarm";
  job.time_ms = *at_ms;
  add_job("alarm", job);
}

// One that runs isn't set any more.
std::optional<std::int64_t> Host::alarm() {
  if (awake_->job != nullptr && awake_->job->is_alarm && !awake_->job->is_set_anew) {
    return std::nullopt;
  }
  if (!has_jobs()) return std::nullopt;
  const SqlRows rows = own_sql("SELECT time FROM cf_agents_jobs WHERE capability = 'alarm'", {});
  if (rows.empty()) return std::nullopt;
  return rows.front()[0].integer();
}

// ---- Schedules

// What is left to say is its first time.
Schedule Host::schedule(Schedule wanted, const ScheduleOptions& options) {
  if (!info_.find_task(wanted.task)) {
    throw std::invalid_argument("Unknown scheduled callback \"" + wanted.task +
                                "\": not registered on this Scheduler");
  }
  check(options.retry);
  const std::int64_t now_ms = runtime_.wall_ms();
  if (wanted.type == ScheduleType::cron) {
    if (wanted.cron.size() > cron_bytes_max) {
      throw std::length_error("a cron expression must not exceed 256 bytes");
    }
    wanted.time_ms = Cron(wanted.cron).next(now_ms);
  } else if (wanted.type != ScheduleType::scheduled) {
    check_time(wanted.period.count());
    wanted.time_ms = now_ms + wanted.period.count();
  }
  check_time(wanted.time_ms);
  if (options.idempotent.value_or(repeats(wanted.type))) {
    if (auto same = find_same(wanted)) return *std::move(same);
  }
  wanted.retry = options.retry;
  wanted.id = runtime_.random().nanoid().substr(0, id_characters);
  add_job("scheduler", wanted);
  return wanted;
}

Schedule Host::schedule_every(Schedule wanted, const ScheduleOptions& options) {
  if (wanted.period.count() <= 0) {
    throw std::invalid_argument("intervalSeconds must be a positive number");
  }
  if (wanted.period > limits::schedule_interval_max) {
    throw std::invalid_argument("intervalSeconds cannot exceed 2592000 seconds (30 days)");
  }
  return schedule(std::move(wanted), options);
}

// One that runs and doesn't repeat is as good as gone.
std::optional<Schedule> Host::find_same(const Schedule& wanted) {
  for (Schedule& each : schedules({.type = wanted.type})) {
    const bool ends = !repeats(each.type) && awake_->job != nullptr && !awake_->job->is_alarm &&
                      awake_->job->schedule.id == each.id;
    const bool is_same =
        each.task == wanted.task && each.payload == wanted.payload &&
        (!repeats(each.type) || (each.cron == wanted.cron && each.period == wanted.period));
    if (is_same && !ends) return std::move(each);
  }
  return std::nullopt;
}

std::vector<Schedule> Host::schedules(const ScheduleFilter& filter) {
  std::vector<Schedule> found;
  if (!has_jobs()) return found;
  const SqlValue values[] = {filter.from_ms.value_or(-time_ms_max),
                             filter.to_ms.value_or(time_ms_max)};
  const SqlRows rows = own_sql(
      "SELECT id, fn, time, payload, retry_options FROM cf_agents_jobs "
      "WHERE capability = 'scheduler' AND time >= ? AND time <= ? ORDER BY time, id",
      values);
  for (const SqlRows::Row row : rows) {
    found.push_back(schedule_of(row));
    if (filter.type && found.back().type != *filter.type) found.pop_back();
  }
  return found;
}

std::optional<Schedule> Host::get_schedule(std::string_view id) {
  if (!has_jobs()) return std::nullopt;
  const SqlValue values[] = {id};
  const SqlRows rows = own_sql(
      "SELECT id, fn, time, payload, retry_options FROM cf_agents_jobs "
      "WHERE capability = 'scheduler' AND id = ?",
      values);
  if (rows.empty()) return std::nullopt;
  return schedule_of(rows.front());
}

// The index keeps its time: the room is looked at once for nothing.
bool Host::cancel_schedule(std::string_view id) {
  if (!get_schedule(id)) return false;
  const SqlValue values[] = {id};
  own_sql("DELETE FROM cf_agents_jobs WHERE capability = 'scheduler' AND id = ?", values);
  return true;
}

}  // namespace ringroom::detail
