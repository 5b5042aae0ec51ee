// Writes envelopes of JSON (RFC 8259).
#include "base/assert.h"
#include "codec/envelope/base64.h"
#include "codec/envelope/envelope.h"
#include "ringroom/limits.h"

#include <array>
#include <charconv>
#include <concepts>

namespace ringroom::codec::envelope {

namespace {

void append(std::vector<std::byte>& out, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_number(std::vector<std::byte>& out, std::integral auto number) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  append(out, {text.data(), end.ptr});
}

void append_escaped(std::vector<std::byte>& out, char c) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (c) {
    case '"': return append(out, "\\\"");
    case '\\': return append(out, "\\\\");
    case '\n': return append(out, "\\n");
    case '\r': return append(out, "\\r");
    case '\t': return append(out, "\\t");
    default: break;
  }
  const auto code = static_cast<unsigned char>(c);
  const std::array<char, 6> text = {'\\', 'u', '0', '0', hex[code >> 4U], hex[code & 15U]};
  append(out, {text.data(), text.size()});
}

void append_string(std::vector<std::byte>& out, std::string_view text) {
  append(out, "\"");
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    append(out, text.substr(begin, i - begin));
    append_escaped(out, c);
    begin = i + 1;
  }
  append(out, text.substr(begin));
  append(out, "\"");
}

void append_payload(std::vector<std::byte>& out, const BatchedMessage& message) {
  append(out, ",\"payload\":");
  switch (message.kind) {
    case PayloadKind::text: return append_string(out, message.text());
    case PayloadKind::json_value:
      return append(out, message.text().empty() ? "null" : message.text());
    case PayloadKind::bytes: break;
  }
  append(out, "\"");
  append_base64(out, message.payload);
  append(out, "\",\"encoding\":\"base64\"");
}

}  // namespace

void append_json(std::vector<std::byte>& out,
                 const Head& head,
                 std::span<const BatchedMessage> messages) {
  ASSERT(messages.size() <= limits::envelope_messages_max);
  append(out, "{\"messages\":[");
  for (const BatchedMessage& message : messages) {
    append(out, &message == messages.data() ? "{\"type\":" : ",{\"type\":");
    append_string(out, message.type);
    append_payload(out, message);
    if (!message.key.empty()) {
      append(out, ",\"key\":");
      append_string(out, message.key);
    }
    if (message.age_ms != 0) {
      append(out, ",\"age\":");
      append_number(out, message.age_ms);
    }
    append(out, "}");
  }
  append(out, "],\"timestamp\":");
  append_number(out, head.timestamp_ms);
  append(out, ",\"sequence\":");
  append_number(out, head.sequence);
  if (head.missed != 0) {
    append(out, ",\"missed\":");
    append_number(out, head.missed);
  }
  append(out, "}");
}

}  // namespace ringroom::codec::envelope
