#include "agent/cron.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <charconv>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ringroom::agent_runtime {

namespace {

struct Field {
  std::string_view name;
  unsigned first;
  unsigned last;
  std::string_view names;  // of three letters each; the first one is `first`, of weekdays 1
};
constexpr Field second_field{"second", 0, 59, ""};
constexpr Field minute_field{"minute", 0, 59, ""};
constexpr Field hour_field{"hour", 0, 23, ""};
constexpr Field day_field{"day of the month", 1, 31, ""};
constexpr Field month_field{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"};
constexpr Field weekday_field{"weekday", 0, 7, "montuewedthufrisatsun"};

constexpr std::uint64_t all_days = 0xffff'fffe;
constexpr std::uint64_t all_weekdays = 0x7f;
constexpr std::int64_t seconds_each_day = 86'400;

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> nicknames = {{
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
    {"@minutely", "* * * * *"},
}};

[[noreturn]] void refuse(const std::string& why) {
  throw std::invalid_argument("Invalid cron expression: " + why + ".");
}

[[noreturn]] void refuse(const Field& field, std::string_view text) {
  std::string wanted = std::to_string(field.first) + " to " + std::to_string(field.last);
  if (!field.names.empty()) wanted += " or a name such as " + std::string(field.names.substr(0, 3));
  refuse("'" + std::string(text) + "' is no " + std::string(field.name) + ": " + wanted +
         ", as *, 5, 2-5, */5, 2-10/2 or a list of these");
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& each : result) {
    each = static_cast<char>(std::tolower(static_cast<unsigned char>(each)));
  }
  return result;
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole ? std::optional(value) : std::nullopt;
}

std::optional<unsigned> value_of(const Field& field, std::string_view text) {
  for (std::size_t i = 0; text.size() == 3 && i < field.names.size(); i += 3) {
    if (field.names.substr(i, 3) == text) return static_cast<unsigned>(i / 3 + 1);
  }
  const auto value = number(text);
  return value && *value >= field.first && *value <= field.last ? value : std::nullopt;
}

// One of a field's list.
std::uint64_t part_of(const Field& field, std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view range = text.substr(0, slash);
  const std::size_t dash = range.find('-');
  std::optional<unsigned> from;
  std::optional<unsigned> to;
  if (range == "*") {
    from = field.first;
    to = field.last;
  } else {
    from = value_of(field, range.substr(0, dash));
    to = dash == std::string_view::npos ? (slash == std::string_view::npos ? from : field.last)
                                        : value_of(field, range.substr(dash + 1));
  }
  // Sunday is the first day of a week, too.
  if (field.name == weekday_field.name && from == 7U && to && *to < 7) from = 0;
  std::optional<unsigned> step = 1;
  if (slash != std::string_view::npos) step = number(text.substr(slash + 1));
  if (!from || !to || *from > *to || !step || *step == 0) refuse(field, text);
  std::uint64_t set = 0;
  for (std::uint64_t i = *from; i <= *to; i += *step) set |= std::uint64_t{1} << i;
  return set;
}

std::uint64_t set_of(const Field& field, std::string_view text) {
  std::uint64_t set = 0;
  for (;;) {
    const std::size_t comma = text.find(',');
    set |= part_of(field, text.substr(0, comma));
    if (comma == std::string_view::npos) return set;
    text.remove_prefix(comma + 1);
  }
}

std::vector<std::string_view> fields_of(std::string_view text) {
  std::vector<std::string_view> fields;
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    if (end > 0) fields.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return fields;
}

// Whether one of the days comes in one of the months, if only in leap years.
bool comes(std::uint64_t days, std::uint64_t months) {
  constexpr std::array<unsigned, 13> longest = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (unsigned month = 1; month <= 12; ++month) {
    const std::uint64_t in_month = (std::uint64_t{2} << longest[month]) - 1;
    if ((months >> month & 1U) != 0 && (days & in_month) != 0) return true;
  }
  return false;
}

// The first member of a set from `from` on; 64: there is none.
unsigned first_from(std::uint64_t set, unsigned from) {
  return static_cast<unsigned>(std::countr_zero(from > 63 ? 0 : set >> from << from));
}

}  // namespace

Cron::Cron(std::string_view expression) {
  std::string text = lower(expression);
  for (const auto& [nickname, meaning] : nicknames) {
    if (text == nickname) text = meaning;
  }
  std::vector<std::string_view> fields = fields_of(text);
  if (fields.size() != 5 && fields.size() != 6) refuse("expected 5 or 6 elements");
  if (fields.size() == 5) fields.insert(fields.begin(), "0");
  seconds_ = set_of(second_field, fields[0]);
  minutes_ = set_of(minute_field, fields[1]);
  hours_ = set_of(hour_field, fields[2]);
  days_ = set_of(day_field, fields[3]);
  months_ = set_of(month_field, fields[4]);
  weekdays_ = set_of(weekday_field, fields[5]);
  weekdays_ = (weekdays_ | weekdays_ >> 7U) & all_weekdays;
  if (weekdays_ == all_weekdays && !comes(days_, months_)) {
    refuse("there is no such day in any of its months");
  }
}

std::int64_t Cron::next(std::int64_t after_ms) const {
  using std::chrono::floor;
  const std::chrono::milliseconds after(after_ms);
  const std::int64_t from = floor<std::chrono::seconds>(after).count() + 1;
  std::int64_t day = floor<std::chrono::days>(std::chrono::seconds(from)).count();
  std::int64_t second = is_day(day) ? first_second(from - day * seconds_each_day) : -1;
  while (second < 0) {
    if (is_day(++day)) second = first_second(0);
  }
  return (day * seconds_each_day + second) * 1000;
}

bool Cron::is_day(std::int64_t days_since_1970) const {
  const std::chrono::sys_days when{std::chrono::days(days_since_1970)};
  const std::chrono::year_month_day date(when);
  if ((months_ >> static_cast<unsigned>(date.month()) & 1U) == 0) return false;
  const bool by_date = (days_ >> static_cast<unsigned>(date.day()) & 1U) != 0;
  const bool by_weekday = (weekdays_ >> std::chrono::weekday(when).c_encoding() & 1U) != 0;
  const bool either = days_ != all_days && weekdays_ != all_weekdays;
  return either ? by_date || by_weekday : by_date && by_weekday;
}

// Of a day, from a second of it on; -1: not any more.
std::int64_t Cron::first_second(std::int64_t from) const {
  const auto start = static_cast<unsigned>(from);
  for (unsigned hour = first_from(hours_, start / 3600); hour < 24;
       hour = first_from(hours_, hour + 1)) {
    const unsigned first_minute = hour == start / 3600 ? start / 60 % 60 : 0;
    for (unsigned minute = first_from(minutes_, first_minute); minute < 60;
         minute = first_from(minutes_, minute + 1)) {
      const bool is_first = hour == start / 3600 && minute == start / 60 % 60;
      const unsigned second = first_from(seconds_, is_first ? start % 60 : 0);
      if (second < 60) return std::int64_t{hour} * 3600 + minute * 60 + second;
    }
  }
  return -1;
}

}  // namespace ringroom::agent_runtime
