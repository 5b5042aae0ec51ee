#include "load/envelopes.h"

#include <cstring>
#include <string_view>

namespace ringroom::load {

namespace {

constexpr std::string_view flat_identifier = "RRE1";
constexpr std::size_t identifier_at = 4;
constexpr std::string_view message_type = "m";

}  // namespace

Envelopes::Envelopes(const Stationery& stationery, BatchFormat format)
    : stationery_(stationery), format_(format) {}

std::span<const std::byte> Envelopes::pack(std::span<const Stamp> stamps) {
  std::size_t bytes = 0;
  for (const Stamp& stamp : stamps) bytes += stamp.bytes;
  payloads_.resize(bytes);
  messages_.clear();
  std::byte* at = payloads_.data();
  for (const Stamp& stamp : stamps) {
    stationery_.write(at, stamp);
    messages_.push_back({.type = message_type,
                         .payload = {at, stamp.bytes},
                         .kind = stationery_.is_text() ? PayloadKind::text : PayloadKind::bytes});
    at += stamp.bytes;
  }
  packed_.clear();
  if (format_ == BatchFormat::json_text) {
    codec::envelope::append_json(packed_, {}, messages_);
  } else {
    codec::envelope::append_flat(packed_, {}, messages_);
  }
  return packed_;
}

Envelopes::Verdict Envelopes::read(std::span<const std::byte> frame, Batch& batch) {
  using codec::envelope::JsonReader;
  if (format_ == BatchFormat::json_text) {
    const auto* text = reinterpret_cast<const char*>(frame.data());
    switch (json_.read({text, frame.size()}, batch).outcome) {
      case JsonReader::Outcome::envelope: return Verdict::envelope;
      case JsonReader::Outcome::message: return Verdict::message;
      case JsonReader::Outcome::malformed: return Verdict::malformed;
    }
  }
  if (frame.size() < identifier_at + flat_identifier.size() ||
      std::memcmp(frame.data() + identifier_at, flat_identifier.data(), flat_identifier.size()) !=
          0) {
    return Verdict::message;
  }
  static_assert(sizeof(aligned_[0]) == codec::envelope::alignment);
  aligned_.resize(frame.size() / sizeof(aligned_[0]) + 1);
  std::memcpy(aligned_.data(), frame.data(), frame.size());
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(aligned_.data()),
                                         frame.size());
  return codec::envelope::read_flat(bytes, json_, batch).empty() ? Verdict::envelope
                                                                 : Verdict::malformed;
}

}  // namespace ringroom::load
