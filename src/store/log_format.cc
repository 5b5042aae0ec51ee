#include "store/log_format.h"

#include <bit>
#include <cstring>

#include <xxhash.h>

namespace ringroom::store {

namespace {

struct SegmentHeader {
  std::uint64_t magic = 0;
  std::uint64_t generation = 0;
  std::uint64_t checksum = 0;  // of the two before it
};
constexpr std::uint64_t magic = 0x31'676f'6c2d'7272;  // "rr-log1"

constexpr std::size_t padded(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// Where what a commit has lies, from the start of its record.
struct Layout {
  std::size_t name = sizeof(RecordHeader);
  std::size_t numbers;
  std::size_t parts;
  std::size_t bytes;
  std::size_t bytes_count;
  std::size_t end;

  explicit Layout(const RecordHeader& header)
      : numbers(name + padded(header.name_bytes, 8)),
        parts(numbers + header.pages * sizeof(std::uint32_t)),
        bytes(padded(parts + (header.parts == 0 ? 0 : header.pages), 8)),
        bytes_count(header.parts == 0 ? header.pages * page_bytes : header.parts * part_bytes),
        end(padded(bytes + bytes_count, record_unit)) {}
};

RecordHeader header_at(const std::byte* place) {
  RecordHeader header;
  std::memcpy(&header, place, sizeof(header));
  return header;
}

std::uint64_t sum_of(std::span<const std::byte> record) {
  const auto summed = record.subspan(sizeof(RecordHeader::checksum));
  return XXH3_64bits(summed.data(), summed.size());
}

}  // namespace

void append_commit(BlockBuffer& batch,
                   std::string_view database,
                   std::uint32_t pages_total,
                   std::span<const PageChange> pages) {
  RecordHeader header{.kind = RecordKind::commit,
                      .name_bytes = static_cast<std::uint32_t>(database.size()),
                      .pages = static_cast<std::uint32_t>(pages.size()),
                      .pages_total = pages_total};
  for (const PageChange& page : pages) {
    header.parts += static_cast<std::uint32_t>(std::popcount(page.parts));
  }
  if (header.parts == header.pages * parts_of_page) header.parts = 0;
  const Layout layout(header);
  header.bytes = layout.end;
  std::byte* record = batch.extend(layout.end);
  std::memcpy(record, &header, sizeof(header));
  std::memcpy(record + layout.name, database.data(), database.size());
  std::byte* to = record + layout.bytes;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const PageChange& page = pages[i];
    std::memcpy(record + layout.numbers + i * sizeof(page.number), &page.number,
                sizeof(page.number));
    if (header.parts != 0) record[layout.parts + i] = std::byte{page.parts};
    for (std::size_t part = 0; part < parts_of_page; ++part) {
      if ((page.parts >> part & 1U) == 0) continue;
      std::memcpy(to, page.page + part * part_bytes, part_bytes);
      to += part_bytes;
    }
  }
}

std::uint64_t seal_batch(BlockBuffer& batch,
                         std::size_t unit,
                         std::uint64_t generation,
                         std::uint64_t number) {
  const std::size_t left = padded(batch.size(), unit) - batch.size();
  if (left > 0) {
    const RecordHeader filler{.bytes = left, .kind = RecordKind::filler};
    std::memcpy(batch.extend(left), &filler, sizeof(filler));
  }
  std::byte* end = batch.data() + batch.size();
  for (std::byte* record = batch.data(); record < end;) {
    RecordHeader header = header_at(record);
    header.generation = generation;
    header.number = number++;
    std::memcpy(record, &header, sizeof(header));
    header.checksum = sum_of({record, header.bytes});
    std::memcpy(record, &header.checksum, sizeof(header.checksum));
    record += header.bytes;
  }
  return number;
}

void write_segment_header(std::span<std::byte> block, std::uint64_t generation) {
  SegmentHeader header{.magic = magic, .generation = generation};
  header.checksum = XXH3_64bits(&header, offsetof(SegmentHeader, checksum));
  std::memset(block.data(), 0, block.size());
  std::memcpy(block.data(), &header, sizeof(header));
}

std::optional<std::uint64_t> segment_generation(std::span<const std::byte> block) {
  SegmentHeader header{};
  if (block.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, block.data(), sizeof(header));
  if (header.magic != magic) return std::nullopt;
  if (header.checksum != XXH3_64bits(&header, offsetof(SegmentHeader, checksum))) {
    return std::nullopt;
  }
  return header.generation;
}

SegmentReader::SegmentReader(std::span<const std::byte> segment)
    : segment_(segment), generation_(segment_generation(segment)) {}

std::optional<Commit> SegmentReader::next() {
  while (generation_ && at_ + sizeof(RecordHeader) <= segment_.size()) {
    const std::byte* record = segment_.data() + at_;
    const RecordHeader header = header_at(record);
    const bool fits = header.bytes >= sizeof(RecordHeader) && header.bytes % record_unit == 0 &&
                      header.bytes <= segment_.size() - at_;
    if (!fits || header.generation != *generation_ || header.number != number_ ||
        header.checksum != sum_of({record, header.bytes})) {
      return std::nullopt;
    }
    at_ += header.bytes;
    ++number_;
    if (header.kind != RecordKind::commit) continue;
    const Layout layout(header);
    if (layout.end != header.bytes) return std::nullopt;
    const auto* parts = reinterpret_cast<const Parts*>(record + layout.parts);
    return Commit{
        .database = {reinterpret_cast<const char*>(record + layout.name), header.name_bytes},
        .pages_total = header.pages_total,
        .numbers = {reinterpret_cast<const std::uint32_t*>(record + layout.numbers), header.pages},
        .parts = {parts, header.parts == 0 ? 0 : header.pages},
        .bytes = {record + layout.bytes, layout.bytes_count}};
  }
  return std::nullopt;
}

}  // namespace ringroom::store
