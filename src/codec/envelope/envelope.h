// Envelopes: many logical messages in one frame, as FlatBuffers or as JSON (proto/README.md). What
// comes is checked whole and then read where it lies; what goes is appended to the caller's bytes.
// Functions without state but for the JSON reader's buffers, which its owner's thread uses. Bounded
// by the frame, by limits::envelope_messages_max and by limits::envelope_name_bytes_max.
#pragma once

#include "ringroom/batch.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace ringroom::codec::envelope {

/// Where an envelope must begin for its fields to be read in place.
inline constexpr std::size_t alignment = 8;

/// Moves `bytes` down to an aligned address, by at most 7 bytes, over what lies before them. The
/// first `spare` bytes before them may be overwritten. Null data: it doesn't fit, and nothing
/// moved.
std::span<std::byte> shift_to_alignment(std::span<std::byte> bytes, std::size_t spare);

/// What an envelope says beside its messages.
struct Head {
  std::int64_t timestamp_ms = 0;
  std::uint64_t sequence = 0;
  std::uint32_t missed = 0;
};

// ---- FlatBuffers

class JsonReader;

/// Checks an aligned envelope and shows its messages in `batch`, which borrows the bytes. Payloads
/// that say they are JSON are held to it with `json`. Returns what is wrong with it, a static text,
/// or nothing.
std::string_view read_flat(std::span<const std::byte> bytes, JsonReader& json, Batch& batch);

/// Appends an envelope. Types and keys must be UTF-8 of at most envelope_name_bytes_max bytes, and
/// the messages no more than envelope_messages_max.
void append_flat(std::vector<std::byte>& out,
                 const Head& head,
                 std::span<const BatchedMessage> messages);

// ---- JSON

/// Reads JSON envelopes, and checks JSON. Keeps its buffers from call to call, so one serves a
/// shard.
class JsonReader {
 public:
  enum class Outcome : std::uint8_t {
    envelope,   // `batch` has its messages
    message,    // an object with a type and no messages: one message, not for us to read
    malformed,  // `fault` says why
  };
  struct Result {
    Outcome outcome;
    std::string_view fault{};  // static text
  };

  JsonReader();
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  /// `batch` borrows from the reader until its next call.
  Result read(std::string_view text, Batch& batch);
  /// Whether the text is one JSON value.
  bool is_json(std::string_view text);
  /// Gives back what a large envelope left behind.
  void trim();

 private:
  struct Parsers;
  std::unique_ptr<Parsers> parsers_;
};

/// Appends an envelope as JSON. Payloads of kind json stand in it as they are; bytes as base64.
void append_json(std::vector<std::byte>& out,
                 const Head& head,
                 std::span<const BatchedMessage> messages);

}  // namespace ringroom::codec::envelope
