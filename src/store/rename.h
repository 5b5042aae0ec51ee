// The rooms of a class that got another name. Blocks; at the start of a server, when nothing is in
// the logs.
#pragma once

#include "store/leftover.h"

#include <string>
#include <string_view>

namespace ringroom::store {

/// Gives the rooms of class `from` to class `to`, durably. Ended by a crash it is finished the next
/// time. A room that both have stays with both, and is told in the log. Not while something of the
/// class is `behind` what the log has.
Trouble rename_class(const std::string& folder,
                     std::string_view from,
                     std::string_view to,
                     const Behind* behind = nullptr);

}  // namespace ringroom::store
