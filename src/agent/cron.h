// Cron: when a cron expression is due. Five fields (minute, hour, day of the month, month, weekday)
// or six (a second before them), in UTC. A value; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringroom::agent_runtime {

class Cron {
 public:
  /// Fields are separated by blanks. Each is `*`, a number, a range `2-5`, one of these with a step
  /// (`*/5`, `2-10/2`, `5/15`: from 5 to the end), or a list of such with commas. Months and
  /// weekdays have names of three letters too, 0 and 7 are Sunday. @yearly, @annually, @monthly,
  /// @weekly, @daily, @hourly and @minutely stand for whole expressions. If neither day of the
  /// month nor weekday leaves all open, one of the two is enough, as in crontab(5). Throws
  /// std::invalid_argument for anything else, and for dates that never come.
  explicit Cron(std::string_view expression);

  /// The first time that is due after `after_ms`; both in milliseconds since 1970.
  std::int64_t next(std::int64_t after_ms) const;

 private:
  bool is_day(std::int64_t days_since_1970) const;
  std::int64_t first_second(std::int64_t from) const;

  // Sets of numbers, a bit for each.
  std::uint64_t seconds_;
  std::uint64_t minutes_;
  std::uint64_t hours_;
  std::uint64_t days_;
  std::uint64_t months_;
  std::uint64_t weekdays_;  // Sunday is 0
};

}  // namespace ringroom::agent_runtime
