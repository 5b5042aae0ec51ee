// Reads envelopes of FlatBuffers. The library's verifier goes over the whole buffer before one
// field is read; what the schema can't say is checked behind it.
#include "codec/envelope/access.h"
#include "codec/envelope/envelope.h"
#include "codec/ws/utf8.h"
#include "ringroom/limits.h"

#include <algorithm>
#include <cstring>

#include <envelope_generated.h>

namespace ringroom::codec::envelope {

namespace {

using Tables = flatbuffers::Vector<flatbuffers::Offset<wire::Message>>;

// An envelope and a message.
constexpr flatbuffers::uoffset_t depth_max = 2;
constexpr flatbuffers::uoffset_t tables_max = limits::envelope_messages_max + 1;
constexpr std::string_view malformed = "Envelope is malformed";
constexpr std::size_t identifier_at = sizeof(flatbuffers::uoffset_t);
constexpr std::size_t identified_bytes_min = identifier_at + flatbuffers::kFileIdentifierLength;

bool is_identified(std::span<const std::byte> bytes) {
  return bytes.size() >= identified_bytes_min &&
         std::memcmp(bytes.data() + identifier_at, wire::EnvelopeIdentifier(),
                     flatbuffers::kFileIdentifierLength) == 0;
}

std::string_view view(const flatbuffers::String* string) {
  return string == nullptr ? std::string_view() : std::string_view(string->c_str(), string->size());
}

PayloadKind kind_of(wire::Kind kind) {
  return kind <= wire::Kind::MAX ? static_cast<PayloadKind>(kind) : PayloadKind::bytes;
}
static_assert(static_cast<int>(wire::Kind::text) == static_cast<int>(PayloadKind::text));
static_assert(static_cast<int>(wire::Kind::json) == static_cast<int>(PayloadKind::json_value));

std::span<const std::byte> payload_of(const wire::Message& table) {
  const auto* payload = table.payload();
  if (payload == nullptr) return {};
  return std::as_bytes(std::span(payload->data(), payload->size()));
}

BatchedMessage read(const wire::Message& table) {
  return {.type = view(table.type()),
          .payload = payload_of(table),
          .key = view(table.key()),
          .age_ms = table.age_ms(),
          .kind = kind_of(table.kind())};
}

bool is_name(std::string_view name) {
  return name.size() <= limits::envelope_name_bytes_max &&
         ws::is_valid_utf8(std::as_bytes(std::span(name.data(), name.size())));
}

// Goes over the messages once: the library's checks, as the code it generates makes them, and what
// the schema can't say. A vtable that the message before had too isn't looked at again.
class MessagesCheck {
 public:
  MessagesCheck(flatbuffers::Verifier& verifier, JsonReader& json, std::size_t envelope_bytes)
      : verifier_(verifier), json_(json), envelope_bytes_(envelope_bytes) {}

  /// What is wrong, or nothing.
  std::string_view check(const Tables& tables) {
    if (tables.size() > limits::envelope_messages_max) return "Envelope has too many messages";
    for (const wire::Message* table : tables) {
      if (!verify(*table)) return malformed;
      if (const std::string_view fault = check_content(*table); !fault.empty()) return fault;
    }
    return {};
  }

 private:
  using Message = wire::Message;

  // The places of the fields in tables of one vtable; 0: not there.
  struct Layout {
    const std::uint8_t* vtable = nullptr;
    flatbuffers::voffset_t type = 0;
    flatbuffers::voffset_t payload = 0;
    flatbuffers::voffset_t key = 0;
    flatbuffers::voffset_t age_ms = 0;
    flatbuffers::voffset_t kind = 0;
  };

  bool verify(const Message& message) {
    const auto& table = reinterpret_cast<const flatbuffers::Table&>(message);
    const auto* base = reinterpret_cast<const std::uint8_t*>(&message);
    if (!verifier_.VerifyFieldStruct(base, 0, sizeof(flatbuffers::soffset_t),
                                     sizeof(flatbuffers::soffset_t))) {
      return false;
    }
    if (table.GetVTable() != layout_.vtable && !read_layout(table, base)) return false;
    return (layout_.type == 0 || (verifier_.VerifyOffset(base, layout_.type) != 0 &&
                                  verifier_.VerifyString(message.type()))) &&
           (layout_.payload == 0 || (verifier_.VerifyOffset(base, layout_.payload) != 0 &&
                                     verifier_.VerifyVector(message.payload()))) &&
           (layout_.key == 0 || (verifier_.VerifyOffset(base, layout_.key) != 0 &&
                                 verifier_.VerifyString(message.key()))) &&
           (layout_.age_ms == 0 || verifier_.VerifyField<std::uint32_t>(base, layout_.age_ms, 4)) &&
           (layout_.kind == 0 || verifier_.VerifyField<std::uint8_t>(base, layout_.kind, 1));
  }

  bool read_layout(const flatbuffers::Table& table, const std::uint8_t* base) {
    if (!verifier_.VerifyTableStart(base)) return false;
    verifier_.EndTable();
    layout_ = {.vtable = table.GetVTable(),
               .type = table.GetOptionalFieldOffset(Message::VT_TYPE),
               .payload = table.GetOptionalFieldOffset(Message::VT_PAYLOAD),
               .key = table.GetOptionalFieldOffset(Message::VT_KEY),
               .age_ms = table.GetOptionalFieldOffset(Message::VT_AGE_MS),
               .kind = table.GetOptionalFieldOffset(Message::VT_KIND)};
    return true;
  }

  // Many messages may point at the same bytes, so what they add up to is held against the
  // envelope: nothing gets more work out of us than it sent.
  std::string_view check_content(const Message& message) {
    const std::span<const std::byte> payload = payload_of(message);
    payload_bytes_ += payload.size();
    if (payload_bytes_ > envelope_bytes_) return "Envelope payloads overlap";
    if (const std::string_view type = view(message.type()); type.data() != type_) {
      type_ = type.data();
      if (!is_name(type)) return "Envelope message type is not UTF-8 of up to 255 bytes";
    }
    if (layout_.key != 0 && !is_name(view(message.key()))) {
      return "Envelope message key is not UTF-8 of up to 255 bytes";
    }
    switch (kind_of(message.kind())) {
      case PayloadKind::bytes:
        if (is_identified(payload)) return "Envelope inside an envelope";
        break;
      case PayloadKind::text:
        if (!ws::is_valid_utf8(payload)) return "Envelope text is not UTF-8";
        break;
      case PayloadKind::json_value:
        if (!json_.is_json({reinterpret_cast<const char*>(payload.data()), payload.size()})) {
          return "Envelope payload is not JSON";
        }
        break;
    }
    return {};
  }

  flatbuffers::Verifier& verifier_;
  JsonReader& json_;
  const std::size_t envelope_bytes_;
  std::size_t payload_bytes_ = 0;
  Layout layout_;
  const char* type_ = nullptr;  // of the message before: senders share equal ones
};

// Handed to the library's verifier as the root, in the place of the generated check.
struct Root : private flatbuffers::Table {
  using Envelope = wire::Envelope;

  const Tables* messages() const { return GetPointer<const Tables*>(Envelope::VT_MESSAGES); }
  bool Verify(flatbuffers::Verifier& verifier) const {  // NOLINT: the library's name
    return VerifyTableStart(verifier) &&
           VerifyField<std::int64_t>(verifier, Envelope::VT_TIMESTAMP, 8) &&
           VerifyField<std::uint64_t>(verifier, Envelope::VT_SEQUENCE, 8) &&
           VerifyOffset(verifier, Envelope::VT_MESSAGES) && verifier.VerifyVector(messages()) &&
           VerifyField<std::uint32_t>(verifier, Envelope::VT_MISSED, 4) && verifier.EndTable();
  }
};

}  // namespace

std::span<std::byte> shift_to_alignment(std::span<std::byte> bytes, std::size_t spare) {
  const std::size_t beyond = reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment;
  if (beyond == 0) return bytes;
  if (beyond > spare) return {};
  std::byte* aligned = bytes.data() - beyond;
  std::memmove(aligned, bytes.data(), bytes.size());
  return {aligned, bytes.size()};
}

std::string_view read_flat(std::span<const std::byte> bytes, JsonReader& json, Batch& batch) {
  if (!is_identified(bytes)) return "Not an envelope of version 1";
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, bytes.size(), depth_max, tables_max);
  if (!verifier.VerifyBuffer<Root>(nullptr)) return malformed;
  const wire::Envelope& envelope = *wire::GetEnvelope(data);
  const Tables* tables = envelope.messages();
  if (tables != nullptr) {
    const std::string_view fault = MessagesCheck(verifier, json, bytes.size()).check(*tables);
    if (!fault.empty()) return fault;
  }
  detail::BatchAccess::set_head(batch, envelope.timestamp(), envelope.sequence(),
                                envelope.missed());
  detail::BatchAccess::set_flat(batch, tables, tables == nullptr ? 0 : tables->size());
  return {};
}

}  // namespace ringroom::codec::envelope

namespace ringroom {

BatchedMessage Batch::operator[](std::size_t index) const {
  if (!is_flat_) return static_cast<const BatchedMessage*>(messages_)[index];
  const auto& tables = *static_cast<const codec::envelope::Tables*>(messages_);
  return codec::envelope::read(*tables.Get(static_cast<flatbuffers::uoffset_t>(index)));
}

}  // namespace ringroom
