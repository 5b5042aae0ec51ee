// Flags: every flag of `ringroom serve`, once: name, help, and how its text becomes a setting. The
// command line and the --config file both go through this table. Constants; the main thread.
#pragma once

#include "server/options.h"

#include <span>
#include <string>
#include <string_view>

namespace ringroom::server {

struct Flag {
  const char* name;   ///< without the dashes; also the key in the file
  const char* value;  ///< what the help calls its value
  const char* group;  ///< the heading in the help
  const char* help;
  bool repeatable;
  /// Puts the value where it belongs. Returns what is wrong with it, "" if nothing.
  std::string (*apply)(Settings& settings, const std::string& text);
};

/// In the order of the help.
std::span<const Flag> flags();

/// nullptr if there is no flag of that name.
const Flag* find_flag(std::string_view name);

}  // namespace ringroom::server
