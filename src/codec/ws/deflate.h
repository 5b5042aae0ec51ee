// Deflater and Inflater of permessage-deflate messages (RFC 7692 §7.2) around zlib. No context is
// taken over between messages, so one of each per shard serves all its connections; owned by the
// shard, used on its thread. Inside zlib a Deflater keeps up to 200 KiB and an
// Inflater 40 KiB from their first use on; what they write is bounded by the caller.
#pragma once

#include "codec/ws/close.h"
#include "codec/ws/deflate_negotiation.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct z_stream_s;

namespace ringroom::codec::ws {

enum class InflateStatus : std::uint8_t {
  ok,
  too_big,   // fail the connection with 1009
  bad_data,  // not whole deflate blocks: fail the connection with 1007
};

/// The close code for a status that is not ok. RFC 7692 names none for bad data; 1007 says that
/// the data did not fit the message's type, and widespread endpoints send it.
constexpr std::uint16_t close_code_of(InflateStatus status) {
  return status == InflateStatus::too_big ? close_code::message_too_big
                                          : close_code::invalid_payload;
}

class Inflater {
 public:
  /// Replaces `out` with the message that `payload`, a whole message as it was on the wire,
  /// inflates to. `out` never gets more than `bytes_max` bytes; its contents mean nothing if the
  /// status is not ok. A text is still to be checked with is_valid_utf8.
  InflateStatus inflate(std::span<const std::byte> payload,
                        std::vector<std::byte>& out,
                        std::size_t bytes_max);

 private:
  enum class Progress : std::uint8_t { input_used_up, stream_ended, too_big, bad_data };

  InflateStatus inflate_blocks(std::span<const std::byte> payload, std::vector<std::byte>& out);
  Progress run(std::vector<std::byte>& out);
  Progress run_once(std::vector<std::byte>& out);

  struct End {
    void operator()(z_stream_s* stream) const;
  };
  std::unique_ptr<z_stream_s, End> stream_;
  std::size_t written_ = 0;    // bytes of the current message in `out`
  std::size_t bytes_max_ = 0;  // of the current message
};

class Deflater {
 public:
  /// Replaces `out` with the compressed message, as it goes on the wire behind a header with RSV1.
  /// `window_bits`, 9 to 15, is what was agreed for this direction; to change it from one call to
  /// the next costs new memory inside zlib. `out` grows to a little more than `message` at most.
  void deflate(std::span<const std::byte> message,
               std::vector<std::byte>& out,
               int window_bits = window_bits_max);

 private:
  void set_window_bits(int window_bits);

  struct End {
    void operator()(z_stream_s* stream) const;
  };
  std::unique_ptr<z_stream_s, End> stream_;
  int window_bits_ = 0;
};

}  // namespace ringroom::codec::ws
