// Decoder: bytes of one WebSocket connection in, messages and control frames out (RFC 6455 §5–§7).
// It unmasks and checks in the caller's buffer and copies only what must outlive it: the start of a
// frame whose end has not arrived, and the fragments of an unfinished message. One per connection,
// on the connection's thread, owned by it. Stored bytes grow with what has arrived (at most twice
// that), never with what a header promises, and end at message_bytes_max and one control frame.
#pragma once

#include "codec/ws/close.h"
#include "codec/ws/frame.h"
#include "codec/ws/mask.h"
#include "codec/ws/utf8.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ringroom::codec::ws {

struct DecoderOptions {
  /// Limit of a whole message, fragments added up. A compressed one may be a little longer on the
  /// wire, as deflate makes of what it can't shrink; whoever inflates it checks the result.
  std::size_t message_bytes_max = std::size_t{4} << 20U;
  Role role = Role::server;
  /// permessage-deflate was negotiated: RSV1 may be set on the first frame of a message.
  bool deflate = false;
};

/// What a message of this size may become on the wire when it can't be compressed: deflate stores
/// it in blocks with a few bytes around each (zlib's deflateBound, for any window).
constexpr std::size_t deflated_bytes_max(std::size_t message_bytes) {
  return message_bytes + message_bytes / 1000 + 64;
}

/// One thing that happened. Payload and reason stay valid until the next call of Decoder::next, or
/// until the memory of its input goes.
struct Event {
  enum class Kind : std::uint8_t {
    need_more,  // the input is used up; nothing else is set
    message,    // opcode text or binary; the text of an uncompressed message is valid UTF-8
    ping,
    pong,
    close,  // close_code (1005 if the frame was empty) and reason are the peer's
    error,  // close_code is the one to fail the connection with, reason a static text that fits
  };

  Kind kind = Kind::need_more;
  Opcode opcode = Opcode::continuation;
  /// RSV1 was set: the payload is the whole message, still deflated, its text not yet checked.
  bool compressed = false;
  /// The message was one unfragmented frame, wholly inside the input. The payload points into it,
  /// and the frame's own header right before the payload may be overwritten.
  bool in_place = false;
  std::uint16_t close_code = 0;
  std::span<std::byte> payload{};
  std::string_view reason{};
};

class Decoder {
 public:
  Decoder() = default;

  /// Consumes from the front of `input` the bytes of one event, changing them in place. Call it
  /// until it needs more: then the input is empty, and what is not delivered yet is kept inside.
  /// After a close or an error everything further is consumed and ignored. Within one connection
  /// the role and `deflate` stay the same; the limit may change and counts from the next frame on.
  Event next(std::span<std::byte>& input, const DecoderOptions& options) {
    if (phase_ == Phase::boundary && input.size() >= masked_frame_bytes_min) [[likely]] {
      const SmallFrame frame = small_frame(input, options);
      if (frame.header_bytes != 0) [[likely]] {
        return small_message(input, frame, options);
      }
    } else if (phase_ == Phase::boundary && input.empty()) {
      return {};
    }
    return next_slow(input, options);
  }

  /// At a message boundary with nothing stored: it may be thrown away and made anew at no cost.
  bool idle() const { return phase_ == Phase::boundary; }

  /// A close or an error was delivered; nothing more will come.
  bool finished() const { return phase_ == Phase::finished; }

  /// Bytes of memory held outside of the object.
  std::size_t stored_bytes() const { return stored_.capacity(); }

 private:
  enum class Phase : std::uint8_t {
    boundary,           // no message begun, nothing stored
    header,             // part of a header has arrived, or a fragmented message waits for its next
    payload,            // a header is complete, its payload is not
    message_delivered,  // stored_ holds what the last event showed
    control_delivered,  // the same, behind the fragments of a message
    finished,
  };

  static constexpr std::size_t masked_frame_bytes_min = 2 + mask_key_bytes;
  static constexpr std::string_view text_fault = "Text is not UTF-8";

  /// Where the payload of a frame lies in the input.
  struct SmallFrame {
    std::size_t header_bytes = 0;
    std::size_t payload_bytes = 0;
  };

  /// The frame at the front of the input, if it is a whole, unfragmented, uncompressed text or
  /// binary frame of up to 65,535 bytes without fault; else no header, and the slow path finds out
  /// why. Needs masked_frame_bytes_min of input.
  static SmallFrame small_frame(std::span<const std::byte> input, const DecoderOptions& options);

  /// The event of what small_frame found.
  Event small_message(std::span<std::byte>& input, SmallFrame frame, const DecoderOptions& options);

  Event next_slow(std::span<std::byte>& input, const DecoderOptions& options);

  void release_delivered();
  void free_stored();
  bool fill_header(std::span<std::byte>& input, std::size_t bytes);
  std::optional<Event> read_header(std::span<std::byte>& input, const DecoderOptions& options);
  std::optional<Event> check_first_bytes(const DecoderOptions& options);
  std::optional<Event> check_data_opcode(Opcode opcode, bool rsv1);
  std::optional<Event> read_length(const DecoderOptions& options);
  void begin_payload(const DecoderOptions& options);

  bool is_whole_in(std::span<const std::byte> input) const;
  std::span<std::byte> take(std::span<std::byte>& input);
  Event show_whole_frame(std::span<std::byte>& input, bool header_in_input);
  std::optional<Event> store_payload(std::span<std::byte>& input, const DecoderOptions& options);
  void store(std::span<const std::byte> piece, std::size_t message_bytes_max);
  bool stored_text_fits(std::size_t piece_bytes);

  bool is_text_to_check() const { return message_opcode_ == Opcode::text && !compressed_; }
  bool is_message_open() const { return message_opcode_ != Opcode::continuation; }
  Phase phase_between_frames() const {
    return is_message_open() || header_size_ != 0 ? Phase::header : Phase::boundary;
  }

  Event message_event(std::span<std::byte> payload);
  Event control_event(std::span<std::byte> payload);
  Event fail(std::uint16_t code, std::string_view reason);

  std::vector<std::byte> stored_;  // fragments of the message, then the current control frame
  std::uint64_t remaining_ = 0;    // payload bytes of the current frame that have not arrived
  MaskKey key_ = 0;                // turned to the next payload byte
  std::array<std::byte, header_bytes_max> header_{};
  std::uint8_t header_size_ = 0;  // bytes in header_
  Opcode frame_opcode_ = Opcode::continuation;
  Opcode message_opcode_ = Opcode::continuation;  // continuation: no message is open
  Phase phase_ = Phase::boundary;
  std::uint8_t control_size_ = 0;  // payload bytes of the current control frame
  std::uint8_t unfinished_ = 0;    // bytes at the end of a text that begin a character
  bool fin_ = false;
  bool compressed_ = false;  // of the open message
};

static_assert(sizeof(Decoder) <= 64);

inline Decoder::SmallFrame Decoder::small_frame(std::span<const std::byte> input,
                                                const DecoderOptions& options) {
  const bool masked = options.role == Role::server;
  const auto first = std::to_integer<std::uint8_t>(input[0]);
  const bool plain = first == (fin_bit | static_cast<std::uint8_t>(Opcode::text)) ||
                     first == (fin_bit | static_cast<std::uint8_t>(Opcode::binary));
  // With the expected mask bit taken away, a wrong one makes the length larger than any.
  SmallFrame frame;
  frame.payload_bytes = std::to_integer<std::uint8_t>(input[1]) ^ (masked ? mask_bit : 0U);
  std::size_t header = masked ? 2 + mask_key_bytes : 2;
  if (frame.payload_bytes >= length_is_16_bit) {
    if (frame.payload_bytes > length_is_16_bit) {
      return {};
    }
    frame.payload_bytes = std::to_integer<std::size_t>(input[2]) << 8U;
    frame.payload_bytes |= std::to_integer<std::size_t>(input[3]);
    header += 2;
    if (frame.payload_bytes < length_is_16_bit) {
      return {};
    }
  }
  if (plain && frame.payload_bytes <= options.message_bytes_max &&
      header + frame.payload_bytes <= input.size()) [[likely]] {
    frame.header_bytes = header;
  }
  return frame;
}

inline Event Decoder::small_message(std::span<std::byte>& input,
                                    SmallFrame frame,
                                    const DecoderOptions& options) {
  const auto opcode = static_cast<Opcode>(std::to_integer<std::uint8_t>(input[0]) & opcode_bits);
  const std::span<std::byte> payload = input.subspan(frame.header_bytes, frame.payload_bytes);
  bool ascii = false;
  if (options.role == Role::server) {
    ascii = unmask(payload.data(), payload.size(), load_mask_key(payload.data() - mask_key_bytes));
  }
  input = input.subspan(frame.header_bytes + frame.payload_bytes);
  if (opcode == Opcode::text && !ascii && !is_valid_utf8(payload)) [[unlikely]] {
    return fail(close_code::invalid_payload, text_fault);
  }
  return {.kind = Event::Kind::message, .opcode = opcode, .in_place = true, .payload = payload};
}

}  // namespace ringroom::codec::ws
