// Reads envelopes of JSON. simdjson's DOM checks the whole text, so that nothing of a bad one is
// delivered; where a payload is no string, On-Demand then tells where in the text it stands.
#include "codec/envelope/access.h"
#include "codec/envelope/base64.h"
#include "codec/envelope/envelope.h"
#include "ringroom/limits.h"

#include <cstring>
#include <limits>

#include <simdjson.h>

namespace ringroom::codec::envelope {

namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

// What stays of the buffers after a large envelope.
constexpr std::size_t text_bytes_kept = 256 * limits::KiB;

constexpr std::string_view fault_json = "Not JSON";
constexpr std::string_view fault_object = "Not an envelope: an object with messages";
constexpr std::string_view fault_message = "Envelope message without a type";
constexpr std::string_view fault_field = "Envelope field of the wrong type";
constexpr std::string_view fault_name = "Envelope message type or key is longer than 255 bytes";
constexpr std::string_view fault_many = "Envelope has too many messages";
constexpr std::string_view fault_nested = "Envelope inside an envelope";
constexpr std::string_view fault_base64 = "Envelope payload is not base64";

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

bool is_envelope(const dom::element& value) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return false;
  return object["messages"].is_array() && object["timestamp"].is_number();
}

/// A whole number from 0 to what T holds; a fraction is cut off.
template <typename T>
bool read_count(const dom::element& value, T& out) {
  std::uint64_t whole = 0;
  if (value.get(whole) != simdjson::SUCCESS) {
    double number = 0;
    if (value.get(number) != simdjson::SUCCESS || !(number >= 0 && number < 9e15)) return false;
    whole = static_cast<std::uint64_t>(number);
  }
  if (whole > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) return false;
  out = static_cast<T>(whole);
  return true;
}

/// The characters of a value that is no string, which the library shows with what is behind them.
bool find_value(ondemand::value& payload, std::string_view& text) {
  ondemand::json_type type{};
  if (payload.type().get(type) != simdjson::SUCCESS) return false;
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (payload.get(object) != simdjson::SUCCESS) return false;
    if (object.raw_json().get(text) != simdjson::SUCCESS) return false;
  } else if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (payload.get(array) != simdjson::SUCCESS) return false;
    if (array.raw_json().get(text) != simdjson::SUCCESS) return false;
  } else {
    text = payload.raw_json_token();
  }
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  return true;
}

}  // namespace

struct JsonReader::Parsers {
  dom::parser checked;
  ondemand::parser lazy;
  std::vector<char> text;  // padded, as the library wants it
  std::vector<BatchedMessage> messages;
  std::vector<std::vector<std::byte>> decoded;  // payloads that came as base64
  std::size_t decoded_used = 0;
  bool has_values = false;  // payloads that are no strings

  std::string_view read_message(const dom::element& element);
  std::string_view read_payload(const dom::element& value, std::string_view encoding);
  std::string_view read_envelope(const dom::object& envelope, Batch& batch);
  bool find_values();
};

// The payload of the last message.
std::string_view JsonReader::Parsers::read_payload(const dom::element& value,
                                                   std::string_view encoding) {
  BatchedMessage& message = messages.back();
  std::string_view string;
  if (value.get(string) != simdjson::SUCCESS) {
    if (!encoding.empty()) return fault_base64;
    if (is_envelope(value)) return fault_nested;
    message.kind = PayloadKind::json_value;
    has_values = true;
    return {};
  }
  if (encoding.empty()) {
    message.kind = PayloadKind::text;
    message.payload = bytes_of(string);
    return {};
  }
  if (decoded_used == decoded.size()) decoded.emplace_back();
  std::vector<std::byte>& bytes = decoded[decoded_used++];
  if (encoding != "base64" || !decode_base64(string, bytes)) return fault_base64;
  message.payload = bytes;
  return {};
}

std::string_view JsonReader::Parsers::read_message(const dom::element& element) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return fault_message;
  BatchedMessage& message = messages.emplace_back();
  std::string_view encoding;
  dom::element payload;
  bool has_type = false;
  bool has_payload = false;
  for (const dom::key_value_pair& field : object) {
    bool fits = true;
    if (field.key == "type") {
      fits = has_type = field.value.get(message.type) == simdjson::SUCCESS;
    } else if (field.key == "payload") {
      fits = !has_payload;
      payload = field.value;
      has_payload = true;
    } else if (field.key == "key") {
      fits = field.value.get(message.key) == simdjson::SUCCESS;
    } else if (field.key == "age") {
      fits = read_count(field.value, message.age_ms);
    } else if (field.key == "encoding") {
      fits = field.value.get(encoding) == simdjson::SUCCESS && !encoding.empty();
    }
    if (!fits) return fault_field;
  }
  if (!has_type) return fault_message;
  if (message.type.size() > limits::envelope_name_bytes_max ||
      message.key.size() > limits::envelope_name_bytes_max) {
    return fault_name;
  }
  return has_payload ? read_payload(payload, encoding) : std::string_view();
}

std::string_view JsonReader::Parsers::read_envelope(const dom::object& envelope, Batch& batch) {
  std::int64_t timestamp_ms = 0;
  std::uint64_t sequence = 0;
  std::uint32_t missed = 0;
  bool has_messages = false;
  for (const dom::key_value_pair& field : envelope) {
    bool fits = true;
    if (field.key == "messages") {
      dom::array array;
      if (field.value.get(array) != simdjson::SUCCESS || has_messages) return fault_field;
      has_messages = true;
      if (array.size() > limits::envelope_messages_max) return fault_many;
      for (const dom::element element : array) {
        if (const std::string_view fault = read_message(element); !fault.empty()) return fault;
      }
    } else if (field.key == "timestamp") {
      fits = read_count(field.value, timestamp_ms);
    } else if (field.key == "sequence") {
      fits = read_count(field.value, sequence);
    } else if (field.key == "missed") {
      fits = read_count(field.value, missed);
    }
    if (!fits) return fault_field;
  }
  if (has_values && !find_values()) return fault_field;
  detail::BatchAccess::set_head(batch, timestamp_ms, sequence, missed);
  detail::BatchAccess::set_array(batch, messages.data(), messages.size());
  return {};
}

// False only for what is JSON and still not written as anybody would: a field's name in escapes.
bool JsonReader::Parsers::find_values() {
  ondemand::document document;
  ondemand::array array;
  const std::size_t bytes = text.size() - simdjson::SIMDJSON_PADDING;
  if (lazy.iterate(text.data(), bytes, text.size()).get(document) != simdjson::SUCCESS ||
      document["messages"].get(array) != simdjson::SUCCESS) {
    return false;
  }
  std::size_t index = 0;
  for (auto element : array) {
    BatchedMessage& message = messages[index++];
    if (message.kind != PayloadKind::json_value) continue;
    ondemand::value payload;
    std::string_view value;
    if (element["payload"].get(payload) != simdjson::SUCCESS || !find_value(payload, value)) {
      return false;
    }
    message.payload = bytes_of(value);
  }
  return true;
}

JsonReader::JsonReader() : parsers_(std::make_unique<Parsers>()) {}
JsonReader::~JsonReader() = default;

JsonReader::Result JsonReader::read(std::string_view text, Batch& batch) {
  Parsers& parsers = *parsers_;
  parsers.text.resize(text.size() + simdjson::SIMDJSON_PADDING);
  std::memcpy(parsers.text.data(), text.data(), text.size());
  parsers.messages.clear();
  parsers.decoded_used = 0;
  parsers.has_values = false;
  dom::element root;
  if (parsers.checked.parse(parsers.text.data(), text.size(), false).get(root) !=
      simdjson::SUCCESS) {
    return {Outcome::malformed, fault_json};
  }
  dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return {Outcome::malformed, fault_object};
  if (object["messages"].error() != simdjson::SUCCESS) {
    if (object["type"].is_string()) return {Outcome::message};
    return {Outcome::malformed, fault_object};
  }
  const std::string_view fault = parsers.read_envelope(object, batch);
  if (!fault.empty()) return {Outcome::malformed, fault};
  return {Outcome::envelope};
}

bool JsonReader::is_json(std::string_view text) {
  return !text.empty() &&
         parsers_->checked.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

void JsonReader::trim() {
  if (parsers_->text.capacity() > text_bytes_kept) parsers_ = std::make_unique<Parsers>();
}

}  // namespace ringroom::codec::envelope
