// Values as people write them on a command line: durations, sizes, numbers. Pure functions over
// text, nothing kept: any thread. What is wrong is said in a phrase fit for the user.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringroom::base {

/// A value, or why there is none.
template <typename T>
struct Parsed {
  std::optional<T> value;
  std::string error;
};

/// "500ms", "2s", "1.5m", "1h": a number and a unit, rounded to whole milliseconds, up to a year.
Parsed<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "65536", "64KiB", "4MiB", "1GiB": bytes.
Parsed<std::size_t> parse_size(std::string_view text);

/// Decimal digits, up to `most`.
Parsed<std::uint64_t> parse_number(std::string_view text, std::uint64_t most);

/// As parse_duration reads it, in the largest unit that divides evenly: "10s", "1500ms".
std::string text_of(std::chrono::milliseconds duration);

/// "16,384": digits in groups, for messages.
std::string grouped(std::uint64_t number);

}  // namespace ringroom::base
