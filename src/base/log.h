// The log: lines for the operator on standard error, by spdlog, never one per message. Any thread.
#pragma once

#include <string_view>

namespace ringroom::base {

enum class LogLevel { debug, info, warn, error };

/// Writes one line with time and level.
void log(LogLevel level, std::string_view text);
/// Lines below `level` are dropped. The default is info.
void set_log_level(LogLevel level);

inline void log_debug(std::string_view text) {
  log(LogLevel::debug, text);
}
inline void log_info(std::string_view text) {
  log(LogLevel::info, text);
}
inline void log_warn(std::string_view text) {
  log(LogLevel::warn, text);
}
inline void log_error(std::string_view text) {
  log(LogLevel::error, text);
}

}  // namespace ringroom::base
