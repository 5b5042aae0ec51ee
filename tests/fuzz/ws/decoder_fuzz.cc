// The frame decoder, whole and cut into pieces that the input chooses: the events must be the same,
// and nothing may be stored or delivered beyond what has arrived and what the limits allow.
#include "base/assert.h"
#include "wire.h"

#include <cstddef>
#include <cstdint>

namespace ringroom::codec::ws::testing {
namespace {

/// UTF-8 by the table of RFC 3629 §4, as a second opinion on the library's answer.
bool is_utf8_by_table(std::string_view text) {
  const auto in = [&](std::size_t at, int low, int high) {
    const int byte = at < text.size() ? static_cast<unsigned char>(text[at]) : -1;
    return byte >= low && byte <= high;
  };
  std::size_t at = 0;
  while (at < text.size()) {
    const bool tail2 = in(at + 2, 0x80, 0xbf);
    const bool tail3 = in(at + 3, 0x80, 0xbf);
    if (in(at, 0x00, 0x7f)) {
      at += 1;
    } else if (in(at, 0xc2, 0xdf) && in(at + 1, 0x80, 0xbf)) {
      at += 2;
    } else if (in(at, 0xe0, 0xef) && tail2 &&
               in(at + 1, in(at, 0xe0, 0xe0) ? 0xa0 : 0x80, in(at, 0xed, 0xed) ? 0x9f : 0xbf)) {
      at += 3;
    } else if (in(at, 0xf0, 0xf4) && tail2 && tail3 &&
               in(at + 1, in(at, 0xf0, 0xf0) ? 0x90 : 0x80, in(at, 0xf4, 0xf4) ? 0x8f : 0xbf)) {
      at += 4;
    } else {
      return false;
    }
  }
  return true;
}

void check_event(const Observed& event, const DecoderOptions& options) {
  switch (event.kind) {
    case Kind::need_more: ASSERT(false); break;
    case Kind::message:
      ASSERT(event.opcode == Opcode::text || event.opcode == Opcode::binary);
      ASSERT(event.payload.size() <= (event.compressed
                                          ? deflated_bytes_max(options.message_bytes_max)
                                          : options.message_bytes_max));
      ASSERT(!event.compressed || options.deflate);
      ASSERT(event.opcode == Opcode::binary || event.compressed || is_utf8_by_table(event.payload));
      break;
    case Kind::ping:
    case Kind::pong: ASSERT(event.payload.size() <= control_payload_bytes_max); break;
    case Kind::close:
      ASSERT(event.code == close_code::no_status || is_valid_received_close_code(event.code));
      ASSERT(is_utf8_by_table(event.reason));
      break;
    case Kind::error:
      ASSERT(event.code == 1002 || event.code == 1007 || event.code == 1009);
      ASSERT(!event.reason.empty() && is_valid_close_reason(event.reason));
      break;
  }
}

/// Feeds pieces whose sizes come from `seed`, and holds the decoder's memory against its bounds.
std::vector<Observed> decode_in_pieces(std::string_view wire,
                                       const DecoderOptions& options,
                                       std::uint32_t seed) {
  Decoder decoder;
  std::vector<Observed> events;
  std::size_t arrived = 0;
  while (arrived < wire.size()) {
    seed = seed * 1664525U + 1013904223U;
    const std::size_t size = 1 + (seed >> 24U) % (1U + (seed >> 16U) % 32U);
    const std::string_view piece = wire.substr(arrived, size);
    ASSERT(feed(decoder, piece, options, events));
    arrived += piece.size();
    ASSERT(decoder.stored_bytes() <= 2 * arrived);
    ASSERT(decoder.stored_bytes() <=
           deflated_bytes_max(options.message_bytes_max) + control_payload_bytes_max);
    ASSERT(!decoder.idle() || decoder.stored_bytes() == 0);
  }
  return events;
}

void run(std::string_view input) {
  if (input.size() < 3) {
    return;
  }
  const auto flags = static_cast<std::uint8_t>(input[0]);
  const auto limit = static_cast<std::uint8_t>(input[1]);
  const auto seed = static_cast<std::uint8_t>(input[2]);
  const std::string_view wire = input.substr(3);
  const DecoderOptions options{
      .message_bytes_max = limit == 0 ? std::size_t{1} << 20U : std::size_t{4} * limit,
      .role = (flags & 1) != 0 ? Role::client : Role::server,
      .deflate = (flags & 2) != 0,
  };
  const std::vector<Observed> whole = decode_cut(wire, options, {});
  for (const Observed& event : whole) {
    check_event(event, options);
    const bool last = event.kind == Kind::close || event.kind == Kind::error;
    ASSERT(!last || &event == &whole.back());
  }
  ASSERT(decode_in_pieces(wire, options, seed) == whole);
  ASSERT(decode_cut(wire, options, cuts_every(1, wire.size())) == whole);
}

}  // namespace
}  // namespace ringroom::codec::ws::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ringroom::codec::ws::testing::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
