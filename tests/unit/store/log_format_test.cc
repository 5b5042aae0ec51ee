#include "store/log_format.h"

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::store {
namespace {

void add(BlockBuffer& batch, std::string_view name, std::vector<std::uint32_t> numbers, char fill) {
  const CommitPlaces places = append_commit(batch, name, 9, numbers.size());
  std::copy(numbers.begin(), numbers.end(), places.numbers.begin());
  std::memset(places.images.data(), fill, places.images.size());
}

// A segment of two batches, with commits of a, b and c.
std::vector<std::byte> two_batches(std::uint64_t generation) {
  std::vector<std::byte> segment(std::size_t{1} << 20U);
  write_segment_header(std::span(segment).first(block_bytes), generation);
  BlockBuffer batch;
  add(batch, "a", {1, 5}, 'a');
  add(batch, "b", {2}, 'b');
  std::uint64_t number = seal_batch(batch, generation, 0);
  std::memcpy(segment.data() + block_bytes, batch.data(), batch.size());
  const std::size_t end = block_bytes + batch.size();
  batch.clear();
  add(batch, "c", {3, 4, 7}, 'c');
  number = seal_batch(batch, generation, number);
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
  EXPECT_EQ(first->image(1)[4095], std::byte{'a'});
  EXPECT_EQ(names_in(segment), "abc");
}

TEST(LogFormat, BatchesAreWholeBlocks) {
  BlockBuffer batch;
  add(batch, std::string(255, 'n'), {1}, 'x');
  seal_batch(batch, 1, 0);
  EXPECT_EQ(batch.size() % block_bytes, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(batch.data()) % block_bytes, 0U);
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
