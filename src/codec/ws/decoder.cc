#include "codec/ws/decoder.h"

#include <algorithm>
#include <utility>

namespace ringroom::codec::ws {
namespace {

constexpr std::uint8_t byte_at(std::span<const std::byte> bytes, std::size_t index) {
  return std::to_integer<std::uint8_t>(bytes[index]);
}

constexpr std::size_t extended_length_bytes(std::uint8_t length) {
  return length == length_is_64_bit ? 8 : length == length_is_16_bit ? 2 : 0;
}

constexpr bool is_reserved(Opcode opcode) {
  const auto number = static_cast<std::uint8_t>(opcode);
  return (number > 2 && number < 8) || number > 10;
}

/// Static texts, because an event only borrows its reason.
std::string_view unknown_opcode_text(Opcode opcode) {
  switch (static_cast<std::uint8_t>(opcode)) {
    case 3: return "Unknown opcode 3";
    case 4: return "Unknown opcode 4";
    case 5: return "Unknown opcode 5";
    case 6: return "Unknown opcode 6";
    case 7: return "Unknown opcode 7";
    case 11: return "Unknown opcode 11";
    case 12: return "Unknown opcode 12";
    case 13: return "Unknown opcode 13";
    case 14: return "Unknown opcode 14";
    default: return "Unknown opcode 15";
  }
}

}  // namespace

Event Decoder::next_slow(std::span<std::byte>& input, const DecoderOptions& options) {
  release_delivered();
  if (phase_ == Phase::finished) {
    input = input.last(0);
    return {};
  }
  for (;;) {
    bool header_in_input = false;
    if (phase_ != Phase::payload) {
      header_in_input = header_size_ == 0;
      if (std::optional<Event> stop = read_header(input, options)) {
        return *stop;
      }
    }
    if (is_whole_in(input)) {
      return show_whole_frame(input, header_in_input);
    }
    if (std::optional<Event> event = store_payload(input, options)) {
      return *event;
    }
  }
}

/// Lets go of what the previous event showed.
void Decoder::release_delivered() {
  if (phase_ == Phase::control_delivered) {
    stored_.resize(stored_.size() - control_size_);
    phase_ = phase_between_frames();
  } else if (phase_ == Phase::message_delivered) {
    stored_.clear();
    phase_ = Phase::boundary;
  }
  if (stored_.empty() || phase_ == Phase::finished) {
    free_stored();
  }
}

/// An idle decoder holds no memory, so clear() would not do.
void Decoder::free_stored() {
  if (stored_.capacity() != 0) {
    std::vector<std::byte>().swap(stored_);
  }
}

/// Moves bytes from the input into header_ until it has so many; false if they have not arrived.
bool Decoder::fill_header(std::span<std::byte>& input, std::size_t bytes) {
  while (header_size_ < bytes && !input.empty()) {
    header_[header_size_++] = input.front();
    input = input.subspan(1);
  }
  return header_size_ >= bytes;
}

/// Empty once a header is complete and phase_ is payload; else the event to return.
std::optional<Event> Decoder::read_header(std::span<std::byte>& input,
                                          const DecoderOptions& options) {
  if (fill_header(input, 2)) {
    if (std::optional<Event> error = check_first_bytes(options)) {
      return error;
    }
    const std::uint8_t second = byte_at(header_, 1);
    const std::size_t with_length = 2 + extended_length_bytes(second & length_bits);
    if (fill_header(input, with_length)) {
      if (std::optional<Event> error = read_length(options)) {
        return error;
      }
      if (fill_header(input, with_length + ((second & mask_bit) != 0 ? mask_key_bytes : 0))) {
        begin_payload(options);
        return std::nullopt;
      }
    }
  }
  phase_ = phase_between_frames();
  return Event{};
}

/// What the first two bytes decide: RSV bits, opcode, mask and fragmentation (§5.1, §5.2, §5.4,
/// §5.5).
std::optional<Event> Decoder::check_first_bytes(const DecoderOptions& options) {
  const std::uint8_t first = byte_at(header_, 0);
  const std::uint8_t second = byte_at(header_, 1);
  const auto opcode = static_cast<Opcode>(first & opcode_bits);
  const bool rsv1 = (first & rsv1_bit) != 0;
  if ((first & rsv_bits & ~rsv1_bit) != 0) {
    return fail(close_code::protocol_error, "Reserved bit set");
  }
  if (is_reserved(opcode)) {
    return fail(close_code::protocol_error, unknown_opcode_text(opcode));
  }
  if (rsv1 && !options.deflate) {
    return fail(close_code::protocol_error, "Compression bit set, but compression not negotiated");
  }
  const bool masked = (second & mask_bit) != 0;
  if (masked != (options.role == Role::server)) {
    return fail(close_code::protocol_error,
                masked ? "Masked frame from a server" : "Unmasked frame from a client");
  }
  if (!is_control(opcode)) {
    return check_data_opcode(opcode, rsv1);
  }
  if ((first & fin_bit) == 0) {
    return fail(close_code::protocol_error, "Received fragmented control frame");
  }
  if (rsv1) {
    return fail(close_code::protocol_error, "Compression bit set on a control frame");
  }
  if ((second & length_bits) > control_payload_bytes_max) {
    return fail(close_code::protocol_error, "Control frame longer than 125 bytes");
  }
  return std::nullopt;
}

/// A message starts with its type and goes on with continuations (§5.4). Only its first frame says
/// that it is compressed (RFC 7692 §6.1).
std::optional<Event> Decoder::check_data_opcode(Opcode opcode, bool rsv1) {
  if (opcode == Opcode::continuation && !is_message_open()) {
    return fail(close_code::protocol_error, "Unexpected continuation frame");
  }
  if (opcode != Opcode::continuation && is_message_open()) {
    return fail(close_code::protocol_error, "Missing continuation frame");
  }
  if (opcode == Opcode::continuation && rsv1) {
    return fail(close_code::protocol_error, "Compression bit set on a continuation frame");
  }
  return std::nullopt;
}

/// Sets remaining_ from a header that has its length, which must be minimal (§5.2), and holds the
/// message against its limit.
std::optional<Event> Decoder::read_length(const DecoderOptions& options) {
  const std::uint8_t length = byte_at(header_, 1) & length_bits;
  const std::size_t extended = extended_length_bytes(length);
  remaining_ = extended == 0 ? length : 0;
  for (std::size_t i = 0; i < extended; ++i) {
    remaining_ = (remaining_ << 8U) | byte_at(header_, 2 + i);
  }
  if ((remaining_ >> 63U) != 0) {
    return fail(close_code::protocol_error, "Frame length with its top bit set");
  }
  const std::uint64_t minimum = extended == 8 ? 0x10000U : extended == 2 ? length_is_16_bit : 0U;
  if (remaining_ < minimum) {
    return fail(close_code::protocol_error, "Frame length not in its shortest form");
  }
  const auto opcode = static_cast<Opcode>(byte_at(header_, 0) & opcode_bits);
  const bool compressed =
      opcode == Opcode::continuation ? compressed_ : (byte_at(header_, 0) & rsv1_bit) != 0;
  const std::size_t bytes_max =
      compressed ? deflated_bytes_max(options.message_bytes_max) : options.message_bytes_max;
  const std::size_t so_far = stored_.size();
  if (!is_control(opcode) && (so_far > bytes_max || remaining_ > bytes_max - so_far)) {
    return fail(close_code::message_too_big, "Message is too large");
  }
  return std::nullopt;
}

/// Takes over a complete and checked header.
void Decoder::begin_payload(const DecoderOptions& options) {
  const std::uint8_t first = byte_at(header_, 0);
  frame_opcode_ = static_cast<Opcode>(first & opcode_bits);
  fin_ = (first & fin_bit) != 0;
  key_ = 0;
  if (options.role == Role::server) {
    key_ = load_mask_key(header_.data() + header_size_ - mask_key_bytes);
  }
  if (is_control(frame_opcode_)) {
    control_size_ = static_cast<std::uint8_t>(remaining_);
  } else if (frame_opcode_ != Opcode::continuation) {
    message_opcode_ = frame_opcode_;
    compressed_ = (first & rsv1_bit) != 0;
  }
  header_size_ = 0;
  phase_ = Phase::payload;
}

/// Whether the current frame can be shown where it lies: all of it is here, and nothing that
/// belongs to it is stored.
bool Decoder::is_whole_in(std::span<const std::byte> input) const {
  if (input.size() < remaining_) {
    return false;
  }
  if (is_control(frame_opcode_)) {
    return control_size_ == remaining_;
  }
  return fin_ && stored_.empty();
}

/// Cuts what the input has of the current frame off its front, unmasked.
std::span<std::byte> Decoder::take(std::span<std::byte>& input) {
  const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
  const std::span<std::byte> piece = input.first(bytes);
  if (key_ != 0) {
    unmask(piece.data(), bytes, key_);
    key_ = rotate_mask_key(key_, bytes);
  }
  input = input.subspan(bytes);
  remaining_ -= bytes;
  return piece;
}

/// The event of a frame that is_whole_in the input.
Event Decoder::show_whole_frame(std::span<std::byte>& input, bool header_in_input) {
  const std::span<std::byte> payload = take(input);
  if (is_control(frame_opcode_)) {
    phase_ = phase_between_frames();
    const Event event = control_event(payload);
    if (phase_ == Phase::finished) {
      free_stored();
    }
    return event;
  }
  if (is_text_to_check() && !is_valid_utf8(payload)) {
    return fail(close_code::invalid_payload, text_fault);
  }
  phase_ = Phase::boundary;
  Event event = message_event(payload);
  event.in_place = header_in_input && frame_opcode_ != Opcode::continuation;
  return event;
}

/// Keeps what the input has of the current frame. Empty if the frame is complete and its message
/// goes on in the next.
std::optional<Event> Decoder::store_payload(std::span<std::byte>& input,
                                            const DecoderOptions& options) {
  const std::span<const std::byte> piece = take(input);
  store(piece, options.message_bytes_max);
  const bool control = is_control(frame_opcode_);
  if (!control && is_text_to_check() && !stored_text_fits(piece.size())) {
    return fail(close_code::invalid_payload, text_fault);
  }
  if (remaining_ != 0) {
    return Event{};
  }
  if (control) {
    phase_ = Phase::control_delivered;
    return control_event(std::span(stored_).last(control_size_));
  }
  if (fin_) {
    phase_ = Phase::message_delivered;
    return message_event(stored_);
  }
  phase_ = Phase::header;
  return std::nullopt;
}

/// Appends a piece of the current frame. Room doubles, so that bytes are moved once on average, but
/// not beyond the end of the message where that is known, nor beyond the limit.
void Decoder::store(std::span<const std::byte> piece, std::size_t message_bytes_max) {
  const std::size_t needed = stored_.size() + piece.size();
  if (needed > stored_.capacity()) {
    const std::uint64_t frame_end = needed + remaining_;
    const bool last_of_message = fin_ && !is_control(frame_opcode_);
    const std::uint64_t most =
        last_of_message ? frame_end : std::max<std::uint64_t>(frame_end, message_bytes_max);
    stored_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(2 * needed, most)));
  }
  stored_.insert(stored_.end(), piece.begin(), piece.end());
}

/// Checks the text that came with the last piece. The fragments lie one behind the other, so a
/// character that is cut by a frame is checked like one that is cut by a read.
bool Decoder::stored_text_fits(std::size_t piece_bytes) {
  const Utf8Prefix prefix = check_utf8_prefix(std::span(stored_).last(piece_bytes + unfinished_));
  unfinished_ = prefix.unfinished;
  const bool message_ends = fin_ && remaining_ == 0;
  return prefix.valid && (!message_ends || unfinished_ == 0);
}

/// Ends the open message.
Event Decoder::message_event(std::span<std::byte> payload) {
  return {.kind = Event::Kind::message,
          .opcode = std::exchange(message_opcode_, Opcode::continuation),
          .compressed = compressed_,
          .payload = payload};
}

Event Decoder::control_event(std::span<std::byte> payload) {
  if (frame_opcode_ != Opcode::close) {
    const bool ping = frame_opcode_ == Opcode::ping;
    return {.kind = ping ? Event::Kind::ping : Event::Kind::pong,
            .opcode = frame_opcode_,
            .payload = payload};
  }
  const ClosePayload close = parse_close_payload(payload);
  if (close.error != 0) {
    return fail(close.error, close.reason);
  }
  phase_ = Phase::finished;
  return {.kind = Event::Kind::close,
          .opcode = Opcode::close,
          .close_code = close.code,
          .payload = payload,
          .reason = close.reason};
}

Event Decoder::fail(std::uint16_t code, std::string_view reason) {
  phase_ = Phase::finished;
  free_stored();
  return {.kind = Event::Kind::error, .close_code = code, .reason = reason};
}

}  // namespace ringroom::codec::ws
