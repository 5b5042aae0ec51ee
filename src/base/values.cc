#include "base/values.h"

#include <array>
#include <charconv>
#include <cmath>

namespace ringroom::base {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 4> duration_units = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 4> size_units = {
    {{"", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}}};
constexpr double duration_ms_max = 365.0 * 24 * 3'600'000;

const Unit* find_unit(const std::array<Unit, 4>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

}  // namespace

Parsed<std::chrono::milliseconds> parse_duration(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const Unit* unit =
      find_unit(duration_units, std::string_view(rest, static_cast<std::size_t>(end - rest)));
  if (failure != std::errc{} || unit == nullptr || !(number >= 0)) {
    return {{}, "is not a duration: write a number and ms, s, m or h, such as 500ms or 2s"};
  }
  const double ms = number * static_cast<double>(unit->factor);
  if (!(ms <= duration_ms_max)) return {{}, "is longer than a year"};
  return {std::chrono::milliseconds(std::llround(ms)), {}};
}

Parsed<std::size_t> parse_size(std::string_view text) {
  std::size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  const Unit* unit =
      find_unit(size_units, std::string_view(rest, static_cast<std::size_t>(end - rest)));
  if (unit == nullptr || failure == std::errc::invalid_argument) {
    return {{}, "is not a size: write bytes, or a whole number and KiB, MiB or GiB, such as 64KiB"};
  }
  if (failure != std::errc{} || number > SIZE_MAX / unit->factor) return {{}, "is too large"};
  return {number * unit->factor, {}};
}

Parsed<std::uint64_t> parse_number(std::string_view text, std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure == std::errc::invalid_argument || rest != end) return {{}, "is not a whole number"};
  if (failure != std::errc{} || number > most) return {{}, "is above " + grouped(most)};
  return {number, {}};
}

std::string text_of(std::chrono::milliseconds duration) {
  const auto ms = static_cast<std::uint64_t>(duration.count());
  const Unit* best = &duration_units.front();
  for (const Unit& unit : duration_units) {
    if (ms != 0 && ms % unit.factor == 0) best = &unit;
  }
  return std::to_string(ms / best->factor) + std::string(best->name);
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

}  // namespace ringroom::base
