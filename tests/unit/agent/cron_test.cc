#include "agent/cron.h"

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace ringroom::agent_runtime {
namespace {

using namespace std::chrono_literals;

std::int64_t ms_of(const std::string& time) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const int read =
      std::sscanf(time.c_str(), "%d-%d-%d %d:%d:%d", &year, &month, &day, &hour, &minute, &second);
  EXPECT_EQ(read, 6) << time;
  const std::chrono::sys_days date = std::chrono::year(year) /
                                     std::chrono::month(static_cast<unsigned>(month)) /
                                     std::chrono::day(static_cast<unsigned>(day));
  const std::chrono::sys_seconds at = date + hour * 1h + minute * 1min + second * 1s;
  return at.time_since_epoch().count() * 1000;
}

std::string text_of(std::int64_t ms) {
  const std::chrono::sys_seconds at{std::chrono::seconds(ms / 1000)};
  const auto date_part = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(date_part);
  const std::chrono::hh_mm_ss time(at - date_part);
  char text[64];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

struct Case {
  const char* expression;
  const char* after;
  const char* next;
};

// 2026-11-21 is a Saturday.
TEST(Cron, GivesTheNextTime) {
  constexpr Case cases[] = {
      // Stars and single numbers.
      {"* * * * *", "2026-11-21 11:29:07", "2026-11-21 11:30:00"},
      {"* * * * *", "2026-11-21 11:30:00", "2026-11-21 11:31:00"},
      {"* * * * * *", "2026-11-21 11:30:00", "2026-11-21 11:30:01"},
      {"30 * * * * *", "2026-11-21 11:30:30", "2026-11-21 11:31:30"},
      {"0 0 * * *", "2026-12-31 23:59:59", "2027-01-01 00:00:00"},
      {"59 59 23 31 12 *", "2026-12-31 23:59:58", "2026-12-31 23:59:59"},
      {"59 59 23 31 12 *", "2026-12-31 23:59:59", "2027-12-31 23:59:59"},
      {"15 4 * * *", "2026-11-21 04:14:59", "2026-11-21 04:15:00"},
      {"15 4 * * *", "2026-11-21 04:15:00", "2026-11-22 04:15:00"},
      {"  0\t12  *  * *  ", "2026-11-21 11:00:00", "2026-11-21 12:00:00"},
      {"05 007 * * *", "2026-11-21 00:00:00", "2026-11-21 07:05:00"},
      // Steps.
      {"*/5 * * * *", "2026-11-21 11:29:07", "2026-11-21 11:30:00"},
      {"*/5 * * * *", "2026-11-21 11:55:00", "2026-11-21 12:00:00"},
      {"*/25 * * * *", "2026-11-21 11:50:00", "2026-11-21 12:00:00"},
      {"*/60 * * * *", "2026-11-21 11:00:00", "2026-11-21 12:00:00"},
      {"*/999999 * * * *", "2026-11-21 11:00:00", "2026-11-21 12:00:00"},
      {"5/15 * * * *", "2026-11-21 11:06:00", "2026-11-21 11:20:00"},
      {"5/15 * * * *", "2026-11-21 11:50:00", "2026-11-21 12:05:00"},
      {"*/20 * * * * *", "2026-11-21 11:59:41", "2026-11-21 12:00:00"},
      {"0 */7 * * *", "2026-11-21 21:00:00", "2026-11-22 00:00:00"},
      // Ranges and lists.
      {"10-12 * * * *", "2026-11-21 11:12:00", "2026-11-21 12:10:00"},
      {"10-20/4 * * * *", "2026-11-21 11:14:00", "2026-11-21 11:18:00"},
      {"10-20/4 * * * *", "2026-11-21 11:18:00", "2026-11-21 12:10:00"},
      {"7-7 * * * *", "2026-11-21 11:07:00", "2026-11-21 12:07:00"},
      {"1,58,30-32 * * * *", "2026-11-21 11:32:00", "2026-11-21 11:58:00"},
      {"1,58,30-32 * * * *", "2026-11-21 11:58:00", "2026-11-21 12:01:00"},
      {"5,5,5 * * * *", "2026-11-21 11:05:00", "2026-11-21 12:05:00"},
      {"0 9-17/4,22 * * *", "2026-11-21 17:00:00", "2026-11-21 22:00:00"},
      // Months and weekdays, with names.
      {"0 0 1 jan *", "2026-11-21 00:00:00", "2027-01-01 00:00:00"},
      {"0 0 1 JAN,Mar *", "2027-01-01 00:00:00", "2027-03-01 00:00:00"},
      {"0 0 1 feb-APR *", "2026-11-21 00:00:00", "2027-02-01 00:00:00"},
      {"0 0 1 */3 *", "2026-11-21 00:00:00", "2027-01-01 00:00:00"},
      {"0 0 * * mon", "2026-11-21 00:00:00", "2026-11-23 00:00:00"},
      {"0 0 * * 0", "2026-11-21 00:00:00", "2026-11-22 00:00:00"},
      {"0 0 * * 7", "2026-11-21 00:00:00", "2026-11-22 00:00:00"},
      {"0 0 * * sun", "2026-11-22 00:00:00", "2026-11-29 00:00:00"},
      {"0 0 * * mon-fri", "2026-11-21 00:00:00", "2026-11-23 00:00:00"},
      {"0 0 * * mon-fri", "2026-11-27 00:00:00", "2026-11-30 00:00:00"},
      {"0 0 * * fri-sun", "2026-11-21 00:00:00", "2026-11-22 00:00:00"},
      {"0 0 * * sun-tue", "2026-11-24 00:00:00", "2026-11-29 00:00:00"},
      {"0 0 * * 5-7", "2026-11-22 00:00:00", "2026-11-27 00:00:00"},
      {"0 0 * * 7-7", "2026-11-22 00:00:00", "2026-11-29 00:00:00"},
      {"0 0 * * */2", "2026-11-22 00:00:00", "2026-11-24 00:00:00"},
      // Day of the month or weekday: either, unless one of them leaves all open.
      {"0 0 13 * *", "2026-11-21 00:00:00", "2026-12-13 00:00:00"},
      {"0 0 13 * 5", "2026-11-21 00:00:00", "2026-11-27 00:00:00"},
      {"0 0 13 * 5", "2026-12-11 00:00:00", "2026-12-13 00:00:00"},
      {"0 0 1-31 * 5", "2026-11-21 00:00:00", "2026-11-27 00:00:00"},
      {"0 0 13 * 0-6", "2026-11-21 00:00:00", "2026-12-13 00:00:00"},
      {"0 0 13 * 1-7", "2026-11-21 00:00:00", "2026-12-13 00:00:00"},
      {"0 0 */2 * mon", "2026-11-29 00:00:00", "2026-11-30 00:00:00"},
      {"0 0 31 feb mon", "2026-11-21 00:00:00", "2027-02-01 00:00:00"},
      // Lengths of months, leap years.
      {"0 0 31 * *", "2026-11-21 00:00:00", "2026-12-31 00:00:00"},
      {"0 0 31 * *", "2027-01-31 00:00:00", "2027-03-31 00:00:00"},
      {"0 0 30 * *", "2027-01-30 00:00:00", "2027-03-30 00:00:00"},
      {"0 0 29 2 *", "2026-11-21 00:00:00", "2028-02-29 00:00:00"},
      {"0 0 29 2 *", "2028-02-29 00:00:00", "2032-02-29 00:00:00"},
      {"0 0 29 2 *", "2096-02-29 00:00:00", "2104-02-29 00:00:00"},
      {"0 0 28-29 2 *", "2026-11-21 00:00:00", "2027-02-28 00:00:00"},
      {"0 0 28 2 *", "2028-02-28 00:00:00", "2029-02-28 00:00:00"},
      {"59 23 31 12 *", "2026-12-31 23:59:00", "2027-12-31 23:59:00"},
      // Nicknames.
      {"@yearly", "2026-11-21 11:29:07", "2027-01-01 00:00:00"},
      {"@annually", "2026-11-21 11:29:07", "2027-01-01 00:00:00"},
      {"@monthly", "2026-11-21 11:29:07", "2026-12-01 00:00:00"},
      {"@weekly", "2026-11-21 11:29:07", "2026-11-22 00:00:00"},
      {"@Daily", "2026-11-21 11:29:07", "2026-11-22 00:00:00"},
      {"@hourly", "2026-11-21 11:29:07", "2026-11-21 12:00:00"},
      {"@minutely", "2026-11-21 11:29:07", "2026-11-21 11:30:00"},
      // Before 1970, and far away.
      {"0 0 1 1 *", "1969-06-01 00:00:00", "1970-01-01 00:00:00"},
      {"0 0 1 1 *", "2999-06-01 00:00:00", "3000-01-01 00:00:00"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(text_of(Cron(each.expression).next(ms_of(each.after))), each.next)
        << each.expression << " after " << each.after;
  }
}

TEST(Cron, ComesAfterTheMillisecond) {
  const std::int64_t noon = ms_of("2026-11-21 12:00:00");
  EXPECT_EQ(Cron("* * * * * *").next(noon - 1), noon);
  EXPECT_EQ(Cron("* * * * * *").next(noon), noon + 1000);
  EXPECT_EQ(Cron("* * * * * *").next(noon + 999), noon + 1000);
}

TEST(Cron, RefusesWhatNeverComesOrIsNoExpression) {
  constexpr const char* wrong[] = {
      "",
      "*",
      "* * * *",
      "* * * * * * *",
      "not a cron",
      "@never",
      "60 * * * *",
      "-1 * * * *",
      "* 24 * * *",
      "* * 0 * *",
      "* * 32 * *",
      "* * * 0 *",
      "* * * 13 *",
      "* * * * 8",
      "60 * * * * *",
      "5x * * * *",
      "x5 * * * *",
      "1.5 * * * *",
      "5- * * * *",
      "-5 * * * *",
      "9-5 * * * *",
      "5-60 * * * *",
      "1-2-3 * * * *",
      "*/0 * * * *",
      "*/ * * * *",
      "*/x * * * *",
      "*/-1 * * * *",
      "*/1/2 * * * *",
      "/5 * * * *",
      ", * * * *",
      "1, * * * *",
      ",1 * * * *",
      "1,,2 * * * *",
      "** * * * *",
      "*-5 * * * *",
      "* * * foo *",
      "* * * * foo",
      "jan * * * *",
      "* * mon * *",
      "* * * mon *",
      "* * * * jan",
      "* * * janu *",
      "? * * * *",
      "* * L * *",
      "* * * * 5#2",
      "0 0 31 2 *",
      "0 0 30 2 *",
      "0 0 31 4,6,9,11 *",
      "0 0 30-31 feb *",
      "99999999999 * * * *",
      "\x80 * * * *",
  };
  for (const char* each : wrong) {
    EXPECT_THROW(Cron{each}, std::invalid_argument) << each;
  }
}

TEST(Cron, SaysWhatIsWrong) {
  const auto why = [](const char* expression) -> std::string {
    try {
      Cron{expression};
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_EQ(why("not a cron"), "Invalid cron expression: expected 5 or 6 elements.");
  EXPECT_EQ(why("0 0 31 2 *"),
            "Invalid cron expression: there is no such day in any of its months.");
  EXPECT_EQ(
      why("0 25 * * *"),
      "Invalid cron expression: '25' is no hour: 0 to 23, as *, 5, 2-5, */5, 2-10/2 or a list "
      "of these.");
  EXPECT_EQ(why("* * * jam *"),
            "Invalid cron expression: 'jam' is no month: 1 to 12 or a name such as jan, as *, 5, "
            "2-5, */5, 2-10/2 or a list of these.");
}

// Against a plain reading: every second of some days, one by one.
TEST(Cron, LeavesNoTimeOut) {
  const Cron cron("*/17 3-50/9 */5 20-23,31 11,12 tue");
  const auto is_due = [](std::int64_t second) {
    const std::chrono::sys_seconds at{std::chrono::seconds(second)};
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const auto of_month = static_cast<unsigned>(date.day());
    const bool dated = (of_month >= 20 && of_month <= 23) || of_month == 31;
    const bool tuesday = std::chrono::weekday(day) == std::chrono::Tuesday;
    const std::int64_t minute = second / 60 % 60;
    return second % 60 % 17 == 0 && minute >= 3 && minute <= 50 && (minute - 3) % 9 == 0 &&
           second / 3600 % 24 % 5 == 0 && (dated || tuesday) &&
           static_cast<unsigned>(date.month()) >= 11;
  };
  std::int64_t at = ms_of("2026-11-18 00:00:00");
  const std::int64_t end = ms_of("2026-12-02 00:00:00") / 1000;
  std::int64_t expected = at / 1000;
  for (int found = 0; at / 1000 < end; ++found) {
    do ++expected;
    while (!is_due(expected) && expected < end + 40 * 86'400);
    at = cron.next(at);
    ASSERT_EQ(text_of(at), text_of(expected * 1000)) << found;
  }
}

}  // namespace
}  // namespace ringroom::agent_runtime
