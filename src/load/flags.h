// Flags: every flag of `ringroom load`, once: name, help, and how its text becomes part of a plan.
// Constants; the main thread.
#pragma once

#include "load/plan.h"

#include <span>
#include <string>

namespace ringroom::load {

struct Flag {
  const char* name;   ///< without the dashes
  const char* value;  ///< what the help calls its value; nullptr: it has none
  const char* group;  ///< the heading in the help
  const char* help;
  bool repeatable;
  /// Puts the value where it belongs. Returns what is wrong with it, "" if nothing.
  std::string (*apply)(Plan& plan, const std::string& text);

  /// Whether a part of a mix may have a value of its own.
  bool is_of_part() const;
};

/// In the order of the help.
std::span<const Flag> flags();

}  // namespace ringroom::load
