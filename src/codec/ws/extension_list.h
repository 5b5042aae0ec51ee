// The list in Sec-WebSocket-Extensions (RFC 6455 §9.1), read strictly. Beast's ext_list is no help
// here: it ends silently at bad syntax, gives a bare last extension its forerunner's parameters,
// and cannot tell "bits" from "bits=". Pure function: any thread; what it returns borrows the names
// from the text and is bounded by it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::codec::ws {

struct ExtensionParameter {
  std::string_view name;
  /// Without its quotes. A value is a token, also inside of quotes.
  std::optional<std::string> value;
};

struct Extension {
  std::string_view name;
  std::vector<ExtensionParameter> parameters;
};

/// The extensions in their order, or empty if the text is not such a list.
std::optional<std::vector<Extension>> parse_extension_list(std::string_view text);

}  // namespace ringroom::codec::ws
