// What ringroom/device.h writes and reads, as functions over the caller's bytes: the key of the
// opening handshake (RFC 6455 §4), frames (§5), envelopes (proto/README.md). C++17 and the C
// library; no heap, no exceptions, any byte order. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ringroom::device {

/// One logical message. Borrowed until the callback returns.
struct Message {
  const char* type = "";  ///< not ended by a zero when it was received
  std::size_t type_bytes = 0;
  const std::uint8_t* payload = nullptr;
  std::size_t payload_bytes = 0;
};

namespace wire {

inline void put16(std::uint8_t* at, std::uint32_t value) {
  at[0] = static_cast<std::uint8_t>(value);
  at[1] = static_cast<std::uint8_t>(value >> 8U);
}
inline void put32(std::uint8_t* at, std::uint32_t value) {
  put16(at, value);
  put16(at + 2, value >> 16U);
}
inline void put64(std::uint8_t* at, std::uint64_t value) {
  put32(at, static_cast<std::uint32_t>(value));
  put32(at + 4, static_cast<std::uint32_t>(value >> 32U));
}
inline std::uint32_t get16(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[0] | at[1] << 8);
}
inline std::uint32_t get32(const std::uint8_t* at) {
  return get16(at) | get16(at + 2) << 16U;
}

// ---- The handshake

/// SHA-1 (RFC 3174) of at most 119 bytes: a key and the protocol's constant.
inline void sha1(const std::uint8_t* data, std::size_t bytes, std::uint8_t (&digest)[20]) {
  std::uint32_t h[5] = {0x67452301U, 0xefcdab89U, 0x98badcfeU, 0x10325476U, 0xc3d2e1f0U};
  std::uint8_t padded[128] = {};
  std::memcpy(padded, data, bytes);
  padded[bytes] = 0x80;
  const std::size_t blocks = bytes < 56 ? 1 : 2;
  padded[blocks * 64 - 2] = static_cast<std::uint8_t>(bytes * 8 >> 8U);
  padded[blocks * 64 - 1] = static_cast<std::uint8_t>(bytes * 8);
  const auto turn = [](std::uint32_t x, unsigned n) { return x << n | x >> (32U - n); };
  for (std::size_t block = 0; block < blocks; ++block) {
    std::uint32_t w[80];
    for (unsigned i = 0; i < 16; ++i) {
      const std::uint8_t* from = padded + block * 64 + i * 4;
      w[i] = static_cast<std::uint32_t>(from[0]) << 24U |
             static_cast<std::uint32_t>(from[1]) << 16U |
             static_cast<std::uint32_t>(from[2]) << 8U | from[3];
    }
    for (unsigned i = 16; i < 80; ++i) w[i] = turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    std::uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (unsigned i = 0; i < 80; ++i) {
      const std::uint32_t f = i < 20   ? (b & c) | (~b & d)
                              : i < 40 ? b ^ c ^ d
                              : i < 60 ? (b & c) | (b & d) | (c & d)
                                       : b ^ c ^ d;
      constexpr std::uint32_t k[4] = {0x5a827999U, 0x6ed9eba1U, 0x8f1bbcdcU, 0xca62c1d6U};
      const std::uint32_t next = turn(a, 5) + f + e + k[i / 20] + w[i];
      e = d;
      d = c;
      c = turn(b, 30);
      b = a;
      a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
  }
  for (unsigned i = 0; i < 20; ++i)
    digest[i] = static_cast<std::uint8_t>(h[i / 4] >> (24 - i % 4 * 8));
}

/// Base64 (RFC 4648 §4) with padding; writes (bytes + 2) / 3 * 4 characters.
inline void base64(const std::uint8_t* data, std::size_t bytes, char* out) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes; i += 3) {
    const std::size_t left = bytes - i;
    const std::uint32_t three = static_cast<std::uint32_t>(data[i]) << 16U |
                                (left > 1 ? static_cast<std::uint32_t>(data[i + 1]) << 8U : 0U) |
                                (left > 2 ? data[i + 2] : 0U);
    *out++ = digits[three >> 18U];
    *out++ = digits[three >> 12U & 63U];
    *out++ = left > 1 ? digits[three >> 6U & 63U] : '=';
    *out++ = left > 2 ? digits[three & 63U] : '=';
  }
}

inline constexpr std::size_t key_characters = 24;
inline constexpr std::size_t accept_characters = 28;

/// What the server answers to a key (RFC 6455 §4.2.2).
inline void accept_of(const char* key, char (&accept)[accept_characters]) {
  constexpr char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::uint8_t joined[key_characters + sizeof(guid) - 1];
  std::memcpy(joined, key, key_characters);
  std::memcpy(joined + key_characters, guid, sizeof(guid) - 1);
  std::uint8_t digest[20];
  sha1(joined, sizeof(joined), digest);
  base64(digest, sizeof(digest), accept);
}

inline char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// The value of a header in a head that ends with an empty line; null if it isn't there. `name` is
/// in lower case and ends with a colon.
inline const char* find_header(const char* head, const char* end, const char* name) {
  const std::size_t name_bytes = std::strlen(name);
  for (const char* line = head; line < end;) {
    const auto left = static_cast<std::size_t>(end - line);
    const auto* next = static_cast<const char*>(std::memchr(line, '\n', left));
    if (next == nullptr) return nullptr;
    const char* at = line;
    std::size_t same = 0;
    while (at < next && same < name_bytes && lower(*at) == name[same]) ++at, ++same;
    if (same == name_bytes) {
      while (at < next && (*at == ' ' || *at == '\t')) ++at;
      return at;
    }
    line = next + 1;
  }
  return nullptr;
}

/// Whether a head, up to and with its empty line, accepts what was asked with `key`.
inline bool is_accepted(const char* head, const char* end, const char* key) {
  constexpr char status[] = "HTTP/1.1 101 ";
  if (static_cast<std::size_t>(end - head) < sizeof(status) - 1 ||
      std::memcmp(head, status, sizeof(status) - 1) != 0) {
    return false;
  }
  // Neither was offered (RFC 6455 §4.1).
  if (find_header(head, end, "sec-websocket-extensions:") != nullptr) return false;
  if (find_header(head, end, "sec-websocket-protocol:") != nullptr) return false;
  const char* accept = find_header(head, end, "sec-websocket-accept:");
  char expected[accept_characters];
  accept_of(key, expected);
  return accept != nullptr && end - accept >= static_cast<std::ptrdiff_t>(accept_characters) + 2 &&
         std::memcmp(accept, expected, accept_characters) == 0 &&
         (accept[accept_characters] == '\r' || accept[accept_characters] == ' ');
}

// ---- Frames

/// The header of a client's frame (at most 65,535 bytes of payload) with its mask, in 6 or 8 bytes.
inline std::size_t put_header(std::uint8_t* at,
                              std::uint8_t opcode,
                              std::size_t payload_bytes,
                              std::uint32_t mask) {
  std::size_t bytes = 2;
  at[0] = static_cast<std::uint8_t>(0x80U | opcode);
  at[1] = static_cast<std::uint8_t>(0x80U | (payload_bytes < 126 ? payload_bytes : 126U));
  if (payload_bytes >= 126) {
    at[2] = static_cast<std::uint8_t>(payload_bytes >> 8U);
    at[3] = static_cast<std::uint8_t>(payload_bytes);
    bytes = 4;
  }
  put32(at + bytes, mask);
  return bytes + 4;
}

inline void mask_payload(std::uint8_t* payload, std::size_t bytes, const std::uint8_t* mask) {
  for (std::size_t i = 0; i < bytes; ++i)
    payload[i] = static_cast<std::uint8_t>(payload[i] ^ mask[i % 4]);
}

// ---- Envelopes

constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + 3) & ~std::size_t{3};
}

/// Everything before the messages' offsets: root, identifier, two vtables, the table, a length.
inline constexpr std::size_t envelope_head_bytes = 60;
/// What a message adds: offset, table, type with its zero, payload.
constexpr std::size_t envelope_message_bytes(std::size_t type_bytes, std::size_t payload_bytes) {
  return 4 + 12 + 4 + padded(type_bytes + 1) + 4 + padded(payload_bytes);
}

/// Writes an envelope message by message. The caller has counted the bytes.
class EnvelopeWriter {
 public:
  EnvelopeWriter(std::uint8_t* start,
                 std::uint64_t timestamp_ms,
                 std::uint64_t sequence,
                 std::uint32_t missed,
                 std::size_t messages)
      : start_(start) {
    std::memset(start, 0, envelope_head_bytes);
    put32(start, 28);
    std::memcpy(start + 4, "RRE1", 4);
    const std::uint16_t envelope_vtable[] = {12, 28, 4, 12, 20, 24};
    const std::uint16_t message_vtable[] = {8, 12, 4, 8};
    for (std::size_t i = 0; i < 6; ++i) put16(start + 8 + 2 * i, envelope_vtable[i]);
    for (std::size_t i = 0; i < 4; ++i) put16(start + message_vtable_at + 2 * i, message_vtable[i]);
    std::uint8_t* table = start + 28;
    put32(table, 28 - 8);
    put64(table + 4, timestamp_ms);
    put64(table + 12, sequence);
    put32(table + 20, 8);
    put32(table + 24, missed);
    put32(start + 56, static_cast<std::uint32_t>(messages));
    offset_at_ = 60;
    table_at_ = offset_at_ + 4 * messages;
    rest_at_ = table_at_ + 12 * messages;
  }

  void add(const Message& message) {
    put32(start_ + offset_at_, static_cast<std::uint32_t>(table_at_ - offset_at_));
    std::uint8_t* table = start_ + table_at_;
    put32(table, static_cast<std::uint32_t>(table_at_ - message_vtable_at));
    put32(table + 4, static_cast<std::uint32_t>(rest_at_ - (table_at_ + 4)));
    put_block(message.type, message.type_bytes, padded(message.type_bytes + 1));
    put32(table + 8, static_cast<std::uint32_t>(rest_at_ - (table_at_ + 8)));
    put_block(message.payload, message.payload_bytes, padded(message.payload_bytes));
    offset_at_ += 4;
    table_at_ += 12;
  }

  std::size_t bytes() const { return rest_at_; }

 private:
  static constexpr std::size_t message_vtable_at = 20;

  void put_block(const void* data, std::size_t bytes, std::size_t room) {
    put32(start_ + rest_at_, static_cast<std::uint32_t>(bytes));
    std::memset(start_ + rest_at_ + 4, 0, room);
    if (bytes > 0) std::memcpy(start_ + rest_at_ + 4, data, bytes);
    rest_at_ += 4 + room;
  }

  std::uint8_t* start_;
  std::size_t offset_at_;
  std::size_t table_at_;
  std::size_t rest_at_;
};

/// Reads an envelope of a stranger: every offset is held against the end before it is followed.
class EnvelopeReader {
 public:
  EnvelopeReader(const std::uint8_t* data, std::size_t bytes) : data_(data), bytes_(bytes) {
    std::size_t root = 0;
    std::size_t vector = 0;
    if (!is_envelope(data, bytes) || !follow(0, root) || !field(root, 2, vector) || vector == 0 ||
        !follow(vector, vector)) {
      return;
    }
    const std::uint32_t count = get32(data + vector);
    if (count > (bytes - vector - 4) / 4) return;
    std::size_t missed_at = 0;
    if (field(root, 3, missed_at) && missed_at != 0) missed_ = get32(data + missed_at);
    messages_at_ = vector + 4;
    messages_ = count;
    valid_ = true;
  }

  static bool is_envelope(const std::uint8_t* data, std::size_t bytes) {
    return bytes >= 8 && std::memcmp(data + 4, "RRE1", 4) == 0;
  }

  bool is_valid() const { return valid_; }
  std::size_t size() const { return messages_; }
  std::uint32_t missed() const { return missed_; }

  /// False if the message is malformed.
  bool get(std::size_t index, Message& message) const {
    std::size_t table = 0;
    const std::uint8_t* type = nullptr;
    if (!follow(messages_at_ + 4 * index, table) || !block(table, 0, type, message.type_bytes) ||
        !block(table, 1, message.payload, message.payload_bytes)) {
      return false;
    }
    message.type = type == nullptr ? "" : reinterpret_cast<const char*>(type);
    return true;
  }

 private:
  bool holds(std::size_t at, std::size_t size) const { return at <= bytes_ && size <= bytes_ - at; }

  bool follow(std::size_t at, std::size_t& to) const {
    if (!holds(at, 4)) return false;
    const std::uint32_t offset = get32(data_ + at);
    if (offset > bytes_) return false;
    to = at + offset;
    return holds(to, 4);
  }

  /// Where a field of four bytes is; 0 if the table hasn't got it.
  bool field(std::size_t table, std::size_t number, std::size_t& at) const {
    if (!holds(table, 4)) return false;
    // The vtable may lie before or behind; the sum wraps around as the format means it.
    const auto vtable = static_cast<std::uint32_t>(table) - get32(data_ + table);
    if (!holds(vtable, 4)) return false;
    const std::size_t slot = 4 + 2 * number;
    at = 0;
    if (slot + 2 > get16(data_ + vtable)) return true;
    if (!holds(vtable, slot + 2)) return false;
    const std::uint32_t offset = get16(data_ + vtable + slot);
    if (offset != 0) at = table + offset;
    return offset == 0 || holds(at, 4);
  }

  bool block(std::size_t table,
             std::size_t number,
             const std::uint8_t*& data,
             std::size_t& bytes) const {
    std::size_t at = 0;
    data = nullptr;
    bytes = 0;
    if (!field(table, number, at)) return false;
    if (at == 0) return true;
    if (!follow(at, at)) return false;
    bytes = get32(data_ + at);
    data = data_ + at + 4;
    return bytes <= bytes_ - at - 4;
  }

  const std::uint8_t* data_;
  std::size_t bytes_;
  std::size_t messages_at_ = 0;
  std::size_t messages_ = 0;
  std::uint32_t missed_ = 0;
  bool valid_ = false;
};

}  // namespace wire
}  // namespace ringroom::device
