// What ringroom connect is told on its command line. Values; any thread.
#pragma once

#include "ringroom/batch.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ringroom::connect {

struct Options {
  std::string host;
  std::uint16_t port = 80;
  std::string target;  ///< path and query
  bool binary = false;
  BatchFormat batch = BatchFormat::none;
  std::vector<std::string> protocols;  ///< offered, the envelope's first
  std::uint64_t count = 0;             ///< messages after which to end; 0: never
};

/// The exit code, if there is nothing to run: after --help, or a wrong argument (said on stderr).
std::variant<Options, int> parse_options(int argc, char** argv);

/// Fills in host, port and target of a ws:// URL, or says what is wrong with it.
std::optional<std::string> read_url(const std::string& url, Options& options);

}  // namespace ringroom::connect
