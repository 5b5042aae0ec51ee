// Envelopes from a stranger: what passes the check can be read to the last byte, and is what we
// would write and read again.
#include "base/assert.h"
#include "codec/envelope/envelope.h"
#include "codec/ws/utf8.h"
#include "ringroom/limits.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace ringroom::codec::envelope {
namespace {

bool same(const BatchedMessage& a, const BatchedMessage& b) {
  return a.type == b.type && a.text() == b.text() && a.key == b.key && a.age_ms == b.age_ms &&
         a.kind == b.kind;
}

std::vector<BatchedMessage> check(const Batch& batch, std::size_t bytes) {
  ASSERT(batch.size() <= limits::envelope_messages_max && batch.size() <= bytes);
  std::vector<BatchedMessage> messages;
  std::size_t payload_bytes = 0;
  for (const BatchedMessage message : batch) {
    ASSERT(message.type.size() <= limits::envelope_name_bytes_max);
    ASSERT(message.key.size() <= limits::envelope_name_bytes_max);
    ASSERT(message.kind == PayloadKind::bytes || ws::is_valid_utf8(message.payload));
    payload_bytes += message.payload.size();
    messages.push_back(message);
  }
  ASSERT(payload_bytes <= bytes);
  return messages;
}

void expect_same(const Batch& batch, const std::vector<BatchedMessage>& messages) {
  ASSERT(batch.size() == messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) ASSERT(same(batch[i], messages[i]));
}

void write_and_read(const Batch& batch, const std::vector<BatchedMessage>& messages) {
  const Head head{batch.timestamp_ms(), batch.sequence(), batch.missed()};
  std::vector<std::byte> wire;
  append_flat(wire, head, messages);
  Batch again;
  JsonReader json;
  ASSERT(read_flat(wire, json, again).empty());
  ASSERT(again.sequence() == head.sequence && again.missed() == head.missed);
  expect_same(again, messages);
}

/// Kinds and payloads stay; ages, keys and types too.
void write_json_and_read(const Batch& batch, const std::vector<BatchedMessage>& messages) {
  std::vector<std::byte> wire;
  append_json(wire, {}, messages);
  JsonReader reader;
  Batch again;
  const auto result = reader.read({reinterpret_cast<const char*>(wire.data()), wire.size()}, again);
  // What FlatBuffers let through as JSON may be an envelope.
  if (result.fault == "Envelope inside an envelope") return;
  ASSERT(result.outcome == JsonReader::Outcome::envelope);
  ASSERT(again.size() == batch.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    ASSERT(again[i].type == messages[i].type && again[i].key == messages[i].key);
    ASSERT(again[i].kind == messages[i].kind && again[i].age_ms == messages[i].age_ms);
    ASSERT(messages[i].kind == PayloadKind::json_value || again[i].text() == messages[i].text());
  }
}

void run(std::span<const std::byte> input) {
  // An exact copy, as aligned as the receiver makes it.
  std::unique_ptr<std::byte[]> copy(new std::byte[input.size()]);
  if (!input.empty()) std::memcpy(copy.get(), input.data(), input.size());
  JsonReader reader;
  Batch batch;
  if (read_flat({copy.get(), input.size()}, reader, batch).empty()) {
    const std::vector<BatchedMessage> messages = check(batch, input.size());
    write_and_read(batch, messages);
    write_json_and_read(batch, messages);
  }
  const std::string_view text(reinterpret_cast<const char*>(copy.get()), input.size());
  if (reader.read(text, batch).outcome != JsonReader::Outcome::envelope) return;
  const std::vector<BatchedMessage> messages = check(batch, input.size());
  write_and_read(batch, messages);
  write_json_and_read(batch, messages);
}

}  // namespace
}  // namespace ringroom::codec::envelope

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ringroom::codec::envelope::run(std::as_bytes(std::span(data, size)));
  return 0;
}
