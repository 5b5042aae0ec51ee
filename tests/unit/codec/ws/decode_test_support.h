// What the decoder's tests share: decode at every split point and insist on the same events.
// GoogleTest only, one thread.
#pragma once

#include "wire.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::codec::ws::testing {

/// The events of the whole wire, which must be those of every way to cut it.
inline std::vector<Observed> decode(std::string_view wire, const DecoderOptions& options = {}) {
  const std::vector<Observed> whole = decode_cut(wire, options, {});
  const std::vector<std::size_t> cuts = differing_cuts(wire, options, whole);
  if (!cuts.empty()) {
    EXPECT_EQ(decode_cut(wire, options, cuts), whole)
        << cuts.size() << " cuts, the first at " << cuts.front() << " of " << wire.size();
  }
  return whole;
}

inline Observed message(Opcode opcode, std::string payload) {
  return {.kind = Kind::message, .opcode = opcode, .payload = std::move(payload)};
}

inline Observed text(std::string payload) {
  return message(Opcode::text, std::move(payload));
}
inline Observed binary(std::string payload) {
  return message(Opcode::binary, std::move(payload));
}

inline Observed ping(std::string payload) {
  return {.kind = Kind::ping, .opcode = Opcode::ping, .payload = std::move(payload)};
}

inline Observed pong(std::string payload) {
  return {.kind = Kind::pong, .opcode = Opcode::pong, .payload = std::move(payload)};
}

/// Expects that the wire leads to an error as the last event, and returns its code.
inline std::uint16_t error_code(std::string_view wire, const DecoderOptions& options = {}) {
  const std::vector<Observed> events = decode(wire, options);
  if (events.empty() || events.back().kind != Kind::error) {
    return 0;
  }
  EXPECT_FALSE(events.back().reason.empty());
  EXPECT_LE(events.back().reason.size(), close_reason_bytes_max);
  return events.back().code;
}

}  // namespace ringroom::codec::ws::testing
