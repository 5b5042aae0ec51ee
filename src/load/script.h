// Script: a recording of `ringroom record`, read back: what the members of a room sent, and when.
// Read once by the main thread, then shared by all threads, which don't change it. As large as the
// recording.
#pragma once

#include "base/values.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ringroom::load {

struct Script {
  struct Line {
    std::uint64_t at_ns = 0;  ///< since the recording began
    std::uint32_t member = 0;
    bool is_text = false;
    std::size_t offset = 0;  ///< in `bytes`
    std::size_t size = 0;
  };

  std::vector<Line> lines;  ///< by time
  std::vector<std::byte> bytes;
  std::uint32_t members = 0;
  std::uint64_t length_ns = 0;

  std::span<const std::byte> message(const Line& line) const {
    return std::span(bytes).subspan(line.offset, line.size);
  }
};

/// Reads a file of `ringroom record`. One without its last line was cut off, and is refused.
base::Parsed<Script> read_script(const std::string& file);

}  // namespace ringroom::load
