// Schedules: what an agent wants to have done later, kept in its database (Agent::schedule). All
// are owned values: any thread may keep them.
#pragma once

#include "ringroom/json.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace ringroom {

enum class ScheduleType : std::uint8_t {
  delayed,    ///< once, after a delay
  scheduled,  ///< once, at a time
  cron,       ///< again and again, by a cron expression
  interval,   ///< again and again, so long after the end of the last run
};
NLOHMANN_JSON_SERIALIZE_ENUM(ScheduleType,
                             {{ScheduleType::delayed, "delayed"},
                              {ScheduleType::scheduled, "scheduled"},
                              {ScheduleType::cron, "cron"},
                              {ScheduleType::interval, "interval"}})

/// How a task that fails is tried again: at most `attempts_max` runs in all, and before the next
/// one a pause of random length, from 0 to the smaller of `delay`·2^(runs so far) and `delay_max`.
struct RetryOptions {
  unsigned attempts_max = 3;
  std::chrono::milliseconds delay{100};
  std::chrono::milliseconds delay_max{3'000};
};

struct ScheduleOptions {
  std::optional<RetryOptions> retry{};
  /// Whether one that is there already (same type, task and payload, and the same expression or
  /// interval) is returned in the place of another. By default for cron and interval.
  std::optional<bool> idempotent{};
};

struct Schedule {
  std::string id;
  std::string task;
  json payload;
  ScheduleType type = ScheduleType::delayed;
  std::int64_t time_ms = 0;            ///< of the next run, in milliseconds since 1970
  std::chrono::milliseconds period{};  ///< delayed: the delay; interval: what lies between runs
  std::string cron;
  std::optional<RetryOptions> retry;
};

/// Which of them Agent::schedules gives: all that is set must hold.
struct ScheduleFilter {
  std::optional<ScheduleType> type{};
  std::optional<std::int64_t> from_ms{};  ///< due at this time or later
  std::optional<std::int64_t> to_ms{};    ///< due at this time or earlier
};

namespace detail {
inline json seconds_of(std::chrono::milliseconds time) {
  if (time.count() % 1000 == 0) return time.count() / 1000;
  return std::chrono::duration<double>(time).count();
}
}  // namespace detail

/// As clients of the Agents SDK know it: times in whole seconds.
inline void to_json(json& to, const Schedule& from) {
  to = {
      {"id", from.id},
      {"callback", from.task},
      {"payload", from.payload},
      {"type", from.type},
      {"time",
       std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(from.time_ms)).count()}};
  if (from.type == ScheduleType::delayed) to["delayInSeconds"] = detail::seconds_of(from.period);
  if (from.type == ScheduleType::interval) to["intervalSeconds"] = detail::seconds_of(from.period);
  if (from.type == ScheduleType::cron) to["cron"] = from.cron;
  if (from.retry) {
    to["retry"] = {{"maxAttempts", from.retry->attempts_max},
                   {"baseDelayMs", from.retry->delay.count()},
                   {"maxDelayMs", from.retry->delay_max.count()}};
  }
}

}  // namespace ringroom
