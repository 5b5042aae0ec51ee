// How a connection agrees on envelopes: by a subprotocol (RFC 6455 §1.9), or by ?batch= for clients
// that can't choose one (proto/README.md). Pure functions, any thread.
#pragma once

#include "ringroom/batch.h"

#include <optional>
#include <span>
#include <string_view>

namespace ringroom::codec::envelope {

inline constexpr std::string_view flatbuffers_subprotocol = "ringroom.batch.fb.v1";
inline constexpr std::string_view json_subprotocol = "ringroom.batch.json.v1";

struct Agreement {
  BatchFormat format = BatchFormat::none;
  /// For the 101; empty if none of ours was offered. Static text.
  std::string_view subprotocol{};
};

/// The first of our subprotocols that the client offered; else what ?batch= says ("fb", "json");
/// else the class's own. Nothing: ?batch= says something else.
std::optional<Agreement> negotiate(std::span<const std::string_view> offered,
                                   std::optional<std::string_view> batch_parameter,
                                   BatchFormat otherwise);

}  // namespace ringroom::codec::envelope
