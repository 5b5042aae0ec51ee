// The --config file: TOML with the names of the flags. Read once, at start, by the main thread.
#pragma once

#include "server/options.h"

#include <string>

namespace ringroom::server {

/// Applies the file to `settings`. Returns what is wrong with it, with file and line; "" if
/// nothing.
std::string read_config_file(const std::string& path, Settings& settings);

}  // namespace ringroom::server
