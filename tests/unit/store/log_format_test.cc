#include "store/log_format.h"

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::store {
namespace {

void add(BlockBuffer& batch,
         std::string_view name,
         const std::vector<std::uint32_t>& numbers,
         char fill,
         Parts parts = whole_page) {
  const std::vector<std::byte> page(page_bytes, std::byte(fill));
  std::vector<PageChange> pages;
  for (const std::uint32_t number : numbers) pages.push_back({number, parts, page.data()});
  append_commit(batch, name, 9, pages);
}

// A segment of two batches, with commits of a, b and c.
std::vector<std::byte> two_batches(std::uint64_t generation) {
  std::vector<std::byte> segment(std::size_t{1} << 20U);
  write_segment_header(std::span(segment).first(block_bytes), generation);
  BlockBuffer batch;
  add(batch, "a", {1, 5}, 'a');
  add(batch, "b", {2}, 'b');
  std::uint64_t number = seal_batch(batch, block_bytes, generation, 0);
  std::memcpy(segment.data() + block_bytes, batch.data(), batch.size());
  const std::size_t end = block_bytes + batch.size();
  batch.clear();
  add(batch, "c", {3, 4, 7}, 'c');
  number = seal_batch(batch, block_bytes, generation, number);
  std::memcpy(segment.data() + end, batch.data(), batch.size());
  return segment;
}

std::string names_in(std::span<const std::byte> segment) {
  std::string names;
  SegmentReader reader(segment);
  while (const auto commit = reader.next()) names += commit->database;
  return names;
}

TEST(LogFormat, ReadsWhatWasWritten) {
  const auto segment = two_batches(7);
  SegmentReader reader(segment);
  ASSERT_TRUE(reader.is_segment());
  EXPECT_EQ(reader.generation(), 7U);
  const auto first = reader.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->database, "a");
  EXPECT_EQ(first->pages_total, 9U);
  ASSERT_EQ(first->numbers.size(), 2U);
  EXPECT_EQ(first->numbers[1], 5U);
  EXPECT_TRUE(first->parts.empty());
  ASSERT_EQ(first->bytes.size(), 2 * page_bytes);
  EXPECT_EQ(first->bytes.back(), std::byte{'a'});
  EXPECT_EQ(names_in(segment), "abc");
}

TEST(LogFormat, OfAPageItHasThePartsThatChanged) {
  std::vector<std::byte> segment(std::size_t{1} << 20U);
  write_segment_header(std::span(segment).first(block_bytes), 3);
  BlockBuffer batch;
  add(batch, "a", {4, 6}, 'a', 0b10000001);
  add(batch, "b", {5}, 'b');
  seal_batch(batch, record_unit, 3, 0);
  EXPECT_LT(batch.size(), 2 * page_bytes);
  std::memcpy(segment.data() + block_bytes, batch.data(), batch.size());
  SegmentReader reader(segment);
  const auto commit = reader.next();
  ASSERT_TRUE(commit);
  ASSERT_EQ(commit->parts.size(), 2U);
  EXPECT_EQ(commit->parts[1], 0b10000001);
  EXPECT_EQ(commit->bytes.size(), 4 * part_bytes);
  EXPECT_EQ(commit->bytes.back(), std::byte{'a'});
  ASSERT_TRUE(reader.next());
  EXPECT_FALSE(reader.next());
}

TEST(LogFormat, BatchesAreWholeUnits) {
  for (const std::size_t unit : {block_bytes, record_unit}) {
    BlockBuffer batch;
    add(batch, std::string(255, 'n'), {1}, 'x');
    seal_batch(batch, unit, 1, 0);
    EXPECT_EQ(batch.size() % unit, 0U);
    EXPECT_LT(batch.size(), page_bytes + 400 + unit);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(batch.data()) % block_bytes, 0U);
  }
}

TEST(LogFormat, StopsAtTheFirstByteThatIsWrong) {
  const auto whole = two_batches(7);
  for (std::size_t at = block_bytes; at < block_bytes + 8 * page_bytes; at += 509) {
    auto torn = whole;
    torn[at] ^= std::byte{1};
    const std::string names = names_in(torn);
    EXPECT_LT(names.size(), 4U);
    EXPECT_TRUE(std::string("abc").starts_with(names)) << at;
    if (at < block_bytes + 2 * page_bytes) {
      EXPECT_EQ(names, "");
    }
  }
}

TEST(LogFormat, OldRecordsOfAnotherGenerationAreNone) {
  auto segment = two_batches(7);
  write_segment_header(std::span(segment).first(block_bytes), 8);
  EXPECT_EQ(names_in(segment), "");
}

TEST(LogFormat, AFileThatIsNoSegmentHoldsNothing) {
  const std::vector<std::byte> zeros(3 * block_bytes);
  EXPECT_FALSE(SegmentReader(zeros).is_segment());
  EXPECT_EQ(names_in(zeros), "");
  EXPECT_EQ(names_in({}), "");
}

}  // namespace
}  // namespace ringroom::store
