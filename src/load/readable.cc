#include "load/readable.h"

#include "base/values.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace ringroom::load {

std::string readable(double number) {
  if (number < 0) return "-" + readable(-number);
  if (number >= 999.5) return base::grouped(static_cast<std::uint64_t>(std::llround(number)));
  std::array<char, 32> text{};
  const bool is_whole = number == std::floor(number);
  std::snprintf(text.data(), text.size(), is_whole ? "%.0f" : "%.3g", number);
  return text.data();
}

std::string readable_ns(std::uint64_t nanoseconds) {
  const auto number = static_cast<double>(nanoseconds);
  if (number < 999.5) return readable(number) + " ns";
  if (number < 999.5e3) return readable(number / 1e3) + " us";
  if (number < 999.5e6) return readable(number / 1e6) + " ms";
  return readable(number / 1e9) + " s";
}

std::string readable_us(double microseconds) {
  return readable_ns(static_cast<std::uint64_t>(std::llround(microseconds * 1e3)));
}

}  // namespace ringroom::load
