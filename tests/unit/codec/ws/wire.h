// Helpers of the WebSocket codec's tests and fuzz targets: frames written byte by byte without the
// encoder, and a decoder fed in pieces of every kind. Header only, one thread, owns what it
// returns.
#pragma once

#include "codec/ws/decoder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringroom::codec::ws::testing {

using Kind = Event::Kind;

inline std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) {
    text.push_back(static_cast<char>(value));
  }
  return text;
}

inline std::string repeated(std::size_t count, char c) {
  return std::string(count, c);
}

/// A frame as RFC 6455 §5.2 draws it. Every field can be set to what is not allowed.
struct Frame {
  int opcode = 1;
  std::string payload{};
  bool fin = true;
  int rsv = 0;  // bits 4 (RSV1), 2 and 1
  bool masked = true;
  std::string key = "\x37\xfa\x21\x3d";
  int length_field = -1;         // 0–127; -1 for the shortest form
  std::uint64_t length = ~0ULL;  // of the length field; all ones for that of the payload

  std::string wire() const {
    const std::uint64_t announced = length == ~0ULL ? payload.size() : length;
    int field = length_field;
    if (field < 0) {
      field = announced < 126 ? static_cast<int>(announced) : announced <= 0xffff ? 126 : 127;
    }
    std::string out = bytes({(fin ? 0x80 : 0) | (rsv << 4) | opcode, (masked ? 0x80 : 0) | field});
    const int extended = field == 127 ? 8 : field == 126 ? 2 : 0;
    for (int i = extended - 1; i >= 0; --i) {
      out.push_back(static_cast<char>((announced >> (8 * i)) & 0xff));
    }
    if (!masked) {
      return out + payload;
    }
    out += key;
    for (std::size_t i = 0; i < payload.size(); ++i) {
      out.push_back(static_cast<char>(payload[i] ^ key[i % 4]));
    }
    return out;
  }
};

inline std::string text_frame(std::string payload) {
  return Frame{.payload = std::move(payload)}.wire();
}

/// An event with copies of what it borrowed.
struct Observed {
  Kind kind = Kind::need_more;
  Opcode opcode = Opcode::continuation;
  bool compressed = false;
  std::uint16_t code = 0;
  std::string payload{};
  std::string reason{};

  bool operator==(const Observed&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Observed& event) {
  constexpr std::string_view names[] = {"need_more", "message", "ping", "pong", "close", "error"};
  out << names[static_cast<int>(event.kind)] << " opcode " << static_cast<int>(event.opcode)
      << (event.compressed ? " compressed" : "") << " code " << event.code << " reason '"
      << event.reason << "' payload " << event.payload.size() << " bytes: ";
  return out << event.payload.substr(0, 40);
}

inline std::string copy(std::span<const std::byte> from) {
  return {reinterpret_cast<const char*>(from.data()), from.size()};
}

inline std::vector<std::byte> to_bytes(std::string_view text) {
  std::vector<std::byte> out(text.size());
  std::transform(text.begin(), text.end(), out.begin(), [](char c) { return std::byte(c); });
  return out;
}

inline Observed observe(const Event& event) {
  return {.kind = event.kind,
          .opcode = event.opcode,
          .compressed = event.compressed,
          .code = event.close_code,
          .payload = copy(event.payload),
          .reason = std::string(event.reason)};
}

/// Feeds one piece, from memory of exactly its size that is overwritten afterwards, and appends
/// what happened. False if the decoder asked for more before the piece was used up.
template <typename AnyDecoder>
bool feed(AnyDecoder& decoder,
          std::string_view piece,
          const DecoderOptions& options,
          std::vector<Observed>& events) {
  std::vector<std::byte> memory = to_bytes(piece);
  std::span<std::byte> input(memory);
  for (;;) {
    const Event event = decoder.next(input, options);
    if (event.kind == Kind::need_more) {
      std::fill(memory.begin(), memory.end(), std::byte{0xdd});
      return input.empty();
    }
    events.push_back(observe(event));
  }
}

/// Decodes with a fresh decoder, cutting the wire at these ascending positions.
template <typename AnyDecoder = Decoder>
std::vector<Observed> decode_cut(std::string_view wire,
                                 const DecoderOptions& options,
                                 std::span<const std::size_t> cuts) {
  AnyDecoder decoder;
  std::vector<Observed> events;
  std::size_t start = 0;
  bool used_up = true;
  for (const std::size_t cut : cuts) {
    used_up &= feed(decoder, wire.substr(start, cut - start), options, events);
    start = cut;
  }
  used_up &= feed(decoder, wire.substr(start), options, events);
  if (!used_up) {
    events.push_back({.reason = "input left over"});
  }
  return events;
}

inline std::vector<std::size_t> cuts_every(std::size_t step, std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = step; at < size; at += step) {
    cuts.push_back(at);
  }
  return cuts;
}

/// The cuts under which the events differ from those of the whole wire; empty if there are none.
/// Tries 1, 2, 3 and 7 bytes at a time and one cut at every position (of long wires: at the
/// positions near the ends and at some in between).
template <typename AnyDecoder = Decoder>
std::vector<std::size_t> differing_cuts(std::string_view wire,
                                        const DecoderOptions& options,
                                        const std::vector<Observed>& whole) {
  constexpr std::size_t every_position_bytes_max = 1024;
  std::vector<std::vector<std::size_t>> tries;
  for (const std::size_t step : std::initializer_list<std::size_t>{1, 2, 3, 7}) {
    tries.push_back(cuts_every(step, wire.size()));
  }
  for (std::size_t cut = 1; cut < wire.size(); ++cut) {
    const bool near_end = cut < 32 || wire.size() - cut < 32;
    if (wire.size() <= every_position_bytes_max || near_end || cut % 4099 == 0) {
      tries.push_back({cut});
    }
  }
  for (const std::vector<std::size_t>& cuts : tries) {
    if (decode_cut<AnyDecoder>(wire, options, cuts) != whole) {
      return cuts;
    }
  }
  return {};
}

}  // namespace ringroom::codec::ws::testing
