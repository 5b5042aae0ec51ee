#include "codec/ws/deflate_negotiation.h"

#include "codec/ws/extension_list.h"

#include <utility>
#include <vector>

namespace ringroom::codec::ws {
namespace {

constexpr std::string_view extension_name = "permessage-deflate";

/// The parameters of RFC 7692 §7.1 as one offer or answer has them.
struct Parameters {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  bool client_max_window_bits_present = false;
  std::optional<int> server_max_window_bits;
  std::optional<int> client_max_window_bits;
};

/// 8 to 15, without leading zeros (§7.1.2).
std::optional<int> parse_window_bits(std::string_view value) {
  if (value.size() == 1 && (value[0] == '8' || value[0] == '9')) {
    return value[0] - '0';
  }
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') {
    return 10 + (value[1] - '0');
  }
  return std::nullopt;
}

/// Sets a flag that takes no value and comes once.
bool read_flag(const ExtensionParameter& parameter, bool& flag) {
  const bool repeated = std::exchange(flag, true);
  return !repeated && !parameter.value;
}

/// Reads one parameter; false if it is unknown, repeated or invalid.
bool read_parameter(const ExtensionParameter& parameter, Parameters& parameters) {
  if (parameter.name == "server_no_context_takeover") {
    return read_flag(parameter, parameters.server_no_context_takeover);
  }
  if (parameter.name == "client_no_context_takeover") {
    return read_flag(parameter, parameters.client_no_context_takeover);
  }
  const std::optional<int> bits =
      parameter.value ? parse_window_bits(*parameter.value) : std::nullopt;
  if (parameter.name == "server_max_window_bits") {
    const bool repeated = parameters.server_max_window_bits.has_value();
    parameters.server_max_window_bits = bits;
    return !repeated && bits;
  }
  if (parameter.name == "client_max_window_bits") {
    // Only this one may come bare: the client can be limited, and leaves it to us (§7.1.2.2).
    const bool repeated = std::exchange(parameters.client_max_window_bits_present, true);
    parameters.client_max_window_bits = bits;
    return !repeated && (bits || !parameter.value);
  }
  return false;
}

std::optional<Parameters> read_parameters(const Extension& extension) {
  Parameters parameters;
  for (const ExtensionParameter& parameter : extension.parameters) {
    if (!read_parameter(parameter, parameters)) {
      return std::nullopt;
    }
  }
  return parameters;
}

}  // namespace

std::string DeflateParameters::header() const {
  std::string value(deflate_offer);
  if (server_max_window_bits) {
    value += "; server_max_window_bits=" + std::to_string(*server_max_window_bits);
  }
  if (client_max_window_bits) {
    value += "; client_max_window_bits=" + std::to_string(*client_max_window_bits);
  }
  return value;
}

std::optional<DeflateParameters> negotiate(std::string_view sec_websocket_extensions) {
  const auto extensions = parse_extension_list(sec_websocket_extensions);
  if (!extensions) {
    return std::nullopt;
  }
  for (const Extension& offer : *extensions) {
    if (offer.name != extension_name) {
      continue;
    }
    const std::optional<Parameters> parameters = read_parameters(offer);
    if (parameters &&
        parameters->server_max_window_bits.value_or(window_bits_max) >= deflate_window_bits_min) {
      return DeflateParameters{.server_max_window_bits = parameters->server_max_window_bits,
                               .client_max_window_bits = parameters->client_max_window_bits};
    }
  }
  return std::nullopt;
}

std::optional<DeflateParameters> accept_answer(std::string_view sec_websocket_extensions) {
  const auto extensions = parse_extension_list(sec_websocket_extensions);
  if (!extensions || extensions->size() != 1 || extensions->front().name != extension_name) {
    return std::nullopt;
  }
  const std::optional<Parameters> parameters = read_parameters(extensions->front());
  // What we demanded must be granted, and a limit that we did not offer must not come (§7.1.1.1,
  // §7.1.2.2). A smaller window of the server's is its own affair: we inflate any.
  if (!parameters || !parameters->server_no_context_takeover ||
      parameters->client_max_window_bits_present) {
    return std::nullopt;
  }
  return DeflateParameters{.server_max_window_bits = parameters->server_max_window_bits,
                           .client_max_window_bits = std::nullopt};
}

}  // namespace ringroom::codec::ws
