// Envelopes: how stamped messages lie in the envelopes of proto/README.md, on a load client that
// speaks them. One for each play, on its thread; keeps its buffers, which an envelope's size
// bounds.
#pragma once

#include "codec/envelope/envelope.h"
#include "load/stamp.h"

#include <cstddef>
#include <span>
#include <vector>

namespace ringroom::load {

class Envelopes {
 public:
  /// `format` isn't none.
  Envelopes(const Stationery& stationery, BatchFormat format);

  /// A new envelope with these messages, valid until the next call.
  std::span<const std::byte> pack(std::span<const Stamp> stamps);

  /// What came: an envelope, which `batch` then shows, a message by itself, or nonsense. The batch
  /// borrows from here and from the frame until the next call.
  enum class Verdict : std::uint8_t { envelope, message, malformed };
  Verdict read(std::span<const std::byte> frame, Batch& batch);

  bool is_text() const { return format_ == BatchFormat::json_text; }

 private:
  const Stationery& stationery_;
  BatchFormat format_;
  codec::envelope::JsonReader json_;
  std::vector<std::byte> payloads_;
  std::vector<BatchedMessage> messages_;
  std::vector<std::byte> packed_;
  std::vector<std::uint64_t> aligned_;  // what came, where its fields can be read in place
};

}  // namespace ringroom::load
