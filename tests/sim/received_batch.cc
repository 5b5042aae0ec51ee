#include "received_batch.h"

#include "sim_batcher.h"

#include <cstdlib>
#include <cstring>

namespace ringroom::sim {

namespace {

/// The value in front of a payload, if the rest is what belongs to it.
bool read_payload(std::string_view payload, std::uint64_t& value) {
  const std::string text(payload.substr(payload.starts_with('[') ? 1 : 0, 20));
  value = std::strtoull(text.c_str(), nullptr, 10);
  return payload == Dispatches::payload(value);
}

bool is_flat(std::string_view wire) {
  return wire.size() >= 8 && wire.substr(4, 4) == "RRE1";
}

}  // namespace

ReceivedBatch read_batch(std::string_view wire,
                         BatchFormat format,
                         codec::envelope::JsonReader& json) {
  using codec::envelope::JsonReader;
  ReceivedBatch received;
  Batch batch;
  std::vector<std::uint64_t> aligned(wire.size() / sizeof(std::uint64_t) + 1);
  if (format == BatchFormat::flatbuffers && is_flat(wire)) {
    std::memcpy(aligned.data(), wire.data(), wire.size());
    const auto bytes = std::as_bytes(std::span(aligned)).first(wire.size());
    received.fault = codec::envelope::read_flat(bytes, json, batch);
    received.is_envelope = true;
  } else if (format == BatchFormat::json_text) {
    received.is_envelope = json.read(wire, batch).outcome == JsonReader::Outcome::envelope;
  }
  if (!received.fault.empty()) return received;
  if (!received.is_envelope) {
    ReceivedMessage& message = received.messages.emplace_back();
    if (!read_payload(wire, message.value)) received.fault = "a message is damaged";
    return received;
  }
  received.sequence = batch.sequence();
  received.missed = batch.missed();
  for (const BatchedMessage one : batch) {
    ReceivedMessage& message = received.messages.emplace_back();
    message.key = one.key;
    const bool whole = read_payload(one.text(), message.value);
    if (!whole || one.kind != Dispatches::kind(message.value)) {
      received.fault = "a message of an envelope is damaged";
    }
  }
  return received;
}

}  // namespace ringroom::sim
