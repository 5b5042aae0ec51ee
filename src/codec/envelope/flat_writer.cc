// Writes envelopes of FlatBuffers, front to back in one pass. The library's builder goes back to
// front and looks for equal vtables at each table, which costs twice as much; its verifier and
// reader hold this file to the format in the tests.
#include "base/assert.h"
#include "codec/envelope/envelope.h"
#include "ringroom/limits.h"

#include <array>
#include <bit>
#include <cstring>

namespace ringroom::codec::envelope {

namespace {

static_assert(std::endian::native == std::endian::little, "FlatBuffers are little-endian");

// The fields of a message that may be missing. Each combination has a vtable of its own.
constexpr unsigned has_key = 1;
constexpr unsigned has_age = 2;
constexpr unsigned has_kind = 4;
constexpr std::size_t shapes = 8;

constexpr std::size_t envelope_vtable_bytes = 12;
constexpr std::size_t message_vtable_bytes = 14;
constexpr std::size_t envelope_table_bytes = 28;
constexpr std::size_t message_table_bytes_min = 12;  // soffset, type, payload

constexpr std::size_t padded(std::size_t bytes) {
  return (bytes + 3) & ~std::size_t{3};
}
constexpr std::size_t vector_bytes(std::size_t bytes) {
  return 4 + padded(bytes);
}
constexpr std::size_t string_bytes(std::size_t bytes) {
  return 4 + padded(bytes + 1);
}

unsigned shape_of(const BatchedMessage& message) {
  return (message.key.empty() ? 0 : has_key) | (message.age_ms == 0 ? 0 : has_age) |
         (message.kind == PayloadKind::bytes ? 0 : has_kind);
}
std::size_t table_bytes(unsigned shape) {
  return message_table_bytes_min + 4 * static_cast<std::size_t>(std::popcount(shape));
}

template <typename T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof(value));
}
/// An offset: from where it stands to a later place.
void put_offset(std::byte* at, const std::byte* to) {
  put(at, static_cast<std::uint32_t>(to - at));
}

/// A length, bytes and zeros up to the next multiple of four; returns the end.
std::byte* put_block(std::byte* at, const void* data, std::size_t bytes, std::size_t whole) {
  put(at + whole - 4, std::uint32_t{0});  // before the bytes, which may reach into it
  put(at, static_cast<std::uint32_t>(bytes));
  if (bytes > 0) std::memcpy(at + 4, data, bytes);
  return at + whole;
}

/// Types that were written lately; most envelopes have few.
class RecentNames {
 public:
  const std::byte* find(std::string_view name) const {
    for (const Entry& entry : entries_) {
      if (entry.at != nullptr && entry.name == name) return entry.at;
    }
    return nullptr;
  }
  void add(std::string_view name, const std::byte* at) {
    entries_[next_++ % entries_.size()] = {name, at};
  }

 private:
  struct Entry {
    std::string_view name;
    const std::byte* at = nullptr;
  };
  std::array<Entry, 8> entries_;
  std::size_t next_ = 0;
};

std::byte* put_message_vtable(std::byte* at, unsigned shape) {
  std::uint16_t offset = message_table_bytes_min;
  const auto take = [&](unsigned field) -> std::uint16_t {
    if ((shape & field) == 0) return 0;
    offset = static_cast<std::uint16_t>(offset + 4);
    return static_cast<std::uint16_t>(offset - 4);
  };
  const std::uint16_t key = take(has_key);
  const std::uint16_t age = take(has_age);
  const std::uint16_t kind = take(has_kind);
  const std::array<std::uint16_t, 7> vtable = {message_vtable_bytes, offset, 4, 8, key, age, kind};
  static_assert(sizeof(vtable) == message_vtable_bytes);
  put(at, vtable);
  return at + message_vtable_bytes;
}

struct Measure {
  unsigned shapes_used = 0;     // a bit for each
  std::size_t table_bytes = 0;  // of all messages
  std::size_t bytes_max = 0;    // of the rest: payloads, and names as if none were equal
};

Measure measure(std::span<const BatchedMessage> messages) {
  Measure result;
  for (const BatchedMessage& message : messages) {
    const unsigned shape = shape_of(message);
    result.shapes_used |= 1U << shape;
    result.table_bytes += table_bytes(shape);
    result.bytes_max += vector_bytes(message.payload.size()) + string_bytes(message.type.size()) +
                        ((shape & has_key) != 0 ? string_bytes(message.key.size()) : 0);
  }
  return result;
}

/// Where the next of each part goes.
struct Cursors {
  std::byte* offset;  // in the vector of messages
  std::byte* table;
  std::byte* rest;
};

void put_message(Cursors& at,
                 RecentNames& types,
                 const BatchedMessage& message,
                 const std::byte* vtable,
                 unsigned shape) {
  std::byte* const table = at.table;
  put_offset(at.offset, table);
  at.offset += 4;
  put(table, static_cast<std::int32_t>(table - vtable));
  const std::byte* type = types.find(message.type);
  if (type == nullptr) {
    type = at.rest;
    at.rest = put_block(at.rest, message.type.data(), message.type.size(),
                        string_bytes(message.type.size()));
    types.add(message.type, type);
  }
  put_offset(table + 4, type);
  put_offset(table + 8, at.rest);
  at.rest = put_block(at.rest, message.payload.data(), message.payload.size(),
                      vector_bytes(message.payload.size()));
  std::byte* field = table + message_table_bytes_min;
  if ((shape & has_key) != 0) {
    put_offset(field, at.rest);
    at.rest = put_block(at.rest, message.key.data(), message.key.size(),
                        string_bytes(message.key.size()));
    field += 4;
  }
  if ((shape & has_age) != 0) {
    put(field, message.age_ms);
    field += 4;
  }
  if ((shape & has_kind) != 0) {
    put(field, static_cast<std::uint32_t>(message.kind));
    field += 4;
  }
  at.table = field;
}

/// Root, identifier and the envelope's table with its vtable; returns where the vector begins. The
/// table's 64-bit fields stand at multiples of eight.
std::byte* put_head(std::byte* start, const Head& head, std::size_t vtables_bytes) {
  std::byte* const vtable = start + 8;
  const std::size_t vtables_end = 8 + envelope_vtable_bytes + vtables_bytes;
  const std::size_t table_at = ((vtables_end + 3) & ~std::size_t{7}) + 4;
  std::byte* const table = start + table_at;
  put_offset(start, table);
  std::memcpy(start + 4, "RRE1", 4);
  put(vtable,
      std::array<std::uint16_t, 6>{envelope_vtable_bytes, envelope_table_bytes, 4, 12, 20, 24});
  put(table, static_cast<std::int32_t>(table - vtable));
  put(table + 4, head.timestamp_ms);
  put(table + 12, head.sequence);
  put_offset(table + 20, table + envelope_table_bytes);
  put(table + 24, head.missed);
  return table + envelope_table_bytes;
}

}  // namespace

void append_flat(std::vector<std::byte>& out,
                 const Head& head,
                 std::span<const BatchedMessage> messages) {
  ASSERT(messages.size() <= limits::envelope_messages_max);
  const Measure size = measure(messages);
  const std::size_t vtables_bytes =
      message_vtable_bytes * static_cast<std::size_t>(std::popcount(size.shapes_used));
  const std::size_t head_bytes_max = 8 + envelope_vtable_bytes + vtables_bytes + 8;
  const std::size_t before = out.size();
  out.resize(before + head_bytes_max + envelope_table_bytes + 4 + 4 * messages.size() +
             size.table_bytes + size.bytes_max);
  std::byte* const start = out.data() + before;

  std::array<const std::byte*, shapes> vtables{};
  std::byte* next_vtable = start + 8 + envelope_vtable_bytes;
  for (unsigned shape = 0; shape < shapes; ++shape) {
    if ((size.shapes_used >> shape & 1U) == 0) continue;
    vtables[shape] = next_vtable;
    next_vtable = put_message_vtable(next_vtable, shape);
  }
  std::byte* const vector = put_head(start, head, vtables_bytes);
  put(vector, static_cast<std::uint32_t>(messages.size()));
  Cursors at{.offset = vector + 4, .table = nullptr, .rest = nullptr};
  at.table = at.offset + 4 * messages.size();
  at.rest = at.table + size.table_bytes;
  RecentNames types;
  for (const BatchedMessage& message : messages) {
    const unsigned shape = shape_of(message);
    put_message(at, types, message, vtables[shape], shape);
  }
  out.resize(before + static_cast<std::size_t>(at.rest - start));
}

}  // namespace ringroom::codec::envelope
