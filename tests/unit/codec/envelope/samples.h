// Logical messages that own their bytes, for comparing what was written with what is read. Any
// thread.
#pragma once

#include "codec/envelope/envelope.h"

#include <cstring>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::codec::envelope::testing {

struct Owned {
  std::string type;
  std::string payload;
  std::string key;
  std::uint32_t age_ms = 0;
  PayloadKind kind = PayloadKind::bytes;

  friend bool operator==(const Owned&, const Owned&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Owned& message) {
    return out << message.type << " [" << message.payload << "] key " << message.key << " age "
               << message.age_ms << " kind " << static_cast<int>(message.kind);
  }
};

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What is wrong with an envelope of FlatBuffers, or nothing.
inline std::string_view read(std::span<const std::byte> bytes, Batch& batch) {
  JsonReader json;
  return read_flat(bytes, json, batch);
}

inline std::vector<BatchedMessage> views(const std::vector<Owned>& messages) {
  std::vector<BatchedMessage> result;
  for (const Owned& message : messages) {
    result.push_back(
        {message.type, bytes_of(message.payload), message.key, message.age_ms, message.kind});
  }
  return result;
}

inline std::vector<Owned> copies(const Batch& batch) {
  std::vector<Owned> result;
  for (const BatchedMessage message : batch) {
    result.push_back({std::string(message.type), std::string(message.text()),
                      std::string(message.key), message.age_ms, message.kind});
  }
  return result;
}

inline std::vector<std::byte> flat(const Head& head, const std::vector<Owned>& messages) {
  std::vector<std::byte> out;
  append_flat(out, head, views(messages));
  return out;
}

inline std::string json_text(const Head& head, const std::vector<Owned>& messages) {
  std::vector<std::byte> out;
  append_json(out, head, views(messages));
  return std::string(text_of(out));
}

// What the golden files of proto/ hold.
inline constexpr Head golden_head{.timestamp_ms = 1'767'225'600'000, .sequence = 7, .missed = 2};
inline const std::vector<Owned> golden_messages = {
    {"position", std::string("\x00\x01\x02\xff\x10", 5), "player/1", 12, PayloadKind::bytes},
    {"chat", "gr\xc3\xbc\xc3\x9f \"dich\"", "", 0, PayloadKind::text},
    {"position", "12345678", "player/2", 0, PayloadKind::bytes},
    {"score", R"({"red":3,"blue":[1,2.5,null]})", "", 40, PayloadKind::json_value},
    {"", "", "", 0, PayloadKind::bytes},
};

}  // namespace ringroom::codec::envelope::testing
