// ReceivedBatch: a WebSocket message that a client of a SimBatcher got, taken apart: an envelope's
// messages, or the one that came by itself. Values; one thread.
#pragma once

#include "codec/envelope/envelope.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::sim {

struct ReceivedMessage {
  std::uint64_t value = 0;
  std::string key{};
};

struct ReceivedBatch {
  bool is_envelope = false;
  std::uint64_t sequence = 0;
  std::uint64_t missed = 0;
  std::vector<ReceivedMessage> messages{};
  std::string fault{};  // it is damaged: why
};

ReceivedBatch read_batch(std::string_view wire,
                         BatchFormat format,
                         codec::envelope::JsonReader& json);

}  // namespace ringroom::sim
