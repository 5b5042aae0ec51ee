#include "store/log_format.h"

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

// Where the parts of a commit lie, from the start of its record.
struct Layout {
  std::size_t name = sizeof(RecordHeader);
  std::size_t numbers;
  std::size_t images;
  std::size_t end;

  Layout(std::size_t name_bytes, std::size_t pages)
      : numbers(name + padded(name_bytes, 8)),
        images(padded(numbers + pages * sizeof(std::uint32_t), 8)),
        end(padded(images + pages * page_bytes, record_unit)) {}
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

CommitPlaces append_commit(BlockBuffer& batch,
                           std::string_view database,
                           std::uint32_t pages_total,
                           std::size_t pages) {
  const Layout layout(database.size(), pages);
  std::byte* record = batch.extend(layout.end);
  const RecordHeader header{.bytes = layout.end,
                            .kind = RecordKind::commit,
                            .name_bytes = static_cast<std::uint32_t>(database.size()),
                            .pages = static_cast<std::uint32_t>(pages),
                            .pages_total = pages_total};
  std::memcpy(record, &header, sizeof(header));
  std::memcpy(record + layout.name, database.data(), database.size());
  return {.numbers = {reinterpret_cast<std::uint32_t*>(record + layout.numbers), pages},
          .images = {record + layout.images, pages * page_bytes}};
}

std::uint64_t seal_batch(BlockBuffer& batch, std::uint64_t generation, std::uint64_t number) {
  const std::size_t left = whole_blocks(batch.size()) - batch.size();
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
    const Layout layout(header.name_bytes, header.pages);
    if (layout.end != header.bytes) return std::nullopt;
    return Commit{
        .database = {reinterpret_cast<const char*>(record + layout.name), header.name_bytes},
        .pages_total = header.pages_total,
        .numbers = {reinterpret_cast<const std::uint32_t*>(record + layout.numbers), header.pages},
        .images = {record + layout.images, header.pages * page_bytes}};
  }
  return std::nullopt;
}

}  // namespace ringroom::store
