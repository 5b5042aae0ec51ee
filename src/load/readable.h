// Numbers and durations as people read them, in three digits or so. Pure functions: any thread.
#pragma once

#include <cstdint>
#include <string>

namespace ringroom::load {

/// "0.245", "12.3", "1,234", "2,345,678".
std::string readable(double number);
/// "850 ns", "12.3 us", "4.56 ms", "1.25 s".
std::string readable_ns(std::uint64_t nanoseconds);
std::string readable_us(double microseconds);

}  // namespace ringroom::load
