#include "codec/envelope/negotiation.h"

namespace ringroom::codec::envelope {

std::optional<Agreement> negotiate(std::span<const std::string_view> offered,
                                   std::optional<std::string_view> batch_parameter,
                                   BatchFormat otherwise) {
  for (const std::string_view subprotocol : offered) {
    if (subprotocol == flatbuffers_subprotocol) {
      return Agreement{BatchFormat::flatbuffers, flatbuffers_subprotocol};
    }
    if (subprotocol == json_subprotocol) {
      return Agreement{BatchFormat::json_text, json_subprotocol};
    }
  }
  if (!batch_parameter) return Agreement{otherwise};
  if (*batch_parameter == "fb") return Agreement{BatchFormat::flatbuffers};
  if (*batch_parameter == "json") return Agreement{BatchFormat::json_text};
  return std::nullopt;
}

}  // namespace ringroom::codec::envelope
