#include "connection/slab.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::connection {
namespace {

constexpr std::uint32_t chunk_records = 1024;

TEST(Slab, OpensCleanRecords) {
  Slab slab(100);
  Record& record = slab.open(3, Stage::http);
  EXPECT_EQ(record.stage, Stage::http);
  record.set(flag::deflate);
  record.room = 7;
  record.auto_response_ms = 1;
  slab.free(3);
  const Record& again = slab.open(3, Stage::open);
  EXPECT_EQ(again.flags, 0);
  EXPECT_EQ(again.room, none);
  EXPECT_EQ(again.auto_response_ms, 0U);
}

TEST(Slab, FindsByHandleUntilFreed) {
  Slab slab(100);
  const std::uint32_t generation = slab.open(5, Stage::open).generation;
  EXPECT_EQ(slab.find(5, generation), &slab[5]);
  EXPECT_EQ(slab.find(5, generation + 1), nullptr);
  EXPECT_EQ(slab.find(4, generation), nullptr);
  EXPECT_EQ(slab.find(100, generation), nullptr);
  slab.free(5);
  EXPECT_EQ(slab.find(5, generation), nullptr);
  slab.open(5, Stage::open);
  EXPECT_EQ(slab.find(5, generation), nullptr);
}

TEST(Slab, FindsNothingInMemoryNeverUsed) {
  Slab slab(5000);
  EXPECT_EQ(slab.find(4000, 0), nullptr);
}

TEST(Slab, KnowsItsEndForWalks) {
  Slab slab(5000);
  EXPECT_EQ(slab.end(), 0U);
  slab.open(10, Stage::open);
  slab.open(3000, Stage::open);
  slab.open(20, Stage::open);
  EXPECT_EQ(slab.end(), 3001U);
  EXPECT_EQ(slab.live(), 3U);
  slab.free(3000);
  EXPECT_GE(slab.end(), 21U);
  std::vector<std::uint32_t> live;
  for (std::uint32_t i = 0; i < slab.end(); ++i) {
    if (slab[i].stage != Stage::free) live.push_back(i);
  }
  EXPECT_EQ(live, (std::vector<std::uint32_t>{10, 20}));
  slab.free(10);
  slab.free(20);
  EXPECT_EQ(slab.end(), 0U);
  EXPECT_EQ(slab.live(), 0U);
}

TEST(Slab, NeverRepeatsAGenerationAfterAChunkWasGivenBack) {
  Slab slab(2 * chunk_records);
  slab.open(chunk_records, Stage::open);  // so that the slab isn't empty
  std::set<std::uint32_t> generations;
  for (int round = 0; round < 1000; ++round) {
    EXPECT_TRUE(generations.insert(slab.open(1, Stage::open).generation).second);
    slab.free(1);
  }
}

// An index that others outran, and a chunk given back between: the old handles stay stale.
TEST(Slab, NeverRepeatsAGenerationWhateverComesBetween) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::uint32_t records = 3 * chunk_records;
  Slab slab(records);
  std::vector<std::set<std::uint32_t>> seen(records);
  std::vector<std::uint32_t> open;
  for (int step = 0; step < 50'000; ++step) {
    const auto index = static_cast<std::uint32_t>(random() % 12 * 256);
    const auto found = std::find(open.begin(), open.end(), index);
    if (found == open.end()) {
      ASSERT_TRUE(seen[index].insert(slab.open(index, Stage::open).generation).second) << index;
      open.push_back(index);
    } else {
      slab.free(index);
      open.erase(found);
    }
    ASSERT_EQ(slab.live(), open.size());
  }
}

// 24 bits wrap after 16.7 million connections; what follows must differ again and again.
TEST(Slab, GoesOnWithNewGenerationsAfterTheyWrap) {
  Slab slab(chunk_records);
  std::uint32_t before = slab.open(0, Stage::open).generation;
  slab.free(0);
  std::uint64_t repeats = 0;
  for (std::uint32_t i = 0; i < (1U << 24) + 1000; ++i) {
    const std::uint32_t generation = slab.open(0, Stage::open).generation;
    if (generation == before || generation >= 1U << 24) ++repeats;
    before = generation;
    slab.free(0);
  }
  EXPECT_EQ(repeats, 0U);
}

// Resident shared memory of the process, in pages.
std::size_t shared_pages() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  std::size_t shared = 0;
  file >> size >> resident >> shared;
  return shared;
}

TEST(Slab, GivesTheMemoryOfEmptyChunksBack) {
  constexpr std::uint32_t chunks = 64;
  Slab slab(chunks * chunk_records);
  slab.open(0, Stage::open);
  const std::size_t before = shared_pages();
  for (std::uint32_t i = chunk_records; i < chunks * chunk_records; ++i) slab.open(i, Stage::open);
  const std::size_t full = shared_pages();
  for (std::uint32_t i = chunk_records; i < chunks * chunk_records; ++i) slab.free(i);
  const std::size_t after = shared_pages();
  constexpr std::size_t pages = (chunks - 1) * chunk_records * sizeof(Record) / 4096;
  EXPECT_GE(full - before, pages * 9 / 10);
  EXPECT_LE(after, before + pages / 10);
}

TEST(SlabDeathTest, RefusesToOpenTwiceOrBeyondItsEnd) {
  Slab slab(10);
  slab.open(1, Stage::open);
  EXPECT_DEATH(slab.open(1, Stage::open), "assertion failed");
  EXPECT_DEATH(slab.open(10, Stage::open), "assertion failed");
  EXPECT_DEATH(slab.free(2), "assertion failed");
}

TEST(Record, ChecksumTellsWhatAParkedConnectionIs) {
  Slab slab(100);
  const Record& record = slab.open(3, Stage::open);
  const std::uint32_t sum = checksum(record);
  EXPECT_NE(sum, 0U);
  Record runtime_only = record;
  runtime_only.room = 7;
  runtime_only.member = 1;
  runtime_only.heard_ms = 5;
  runtime_only.set(flag::receiving | flag::parked);
  EXPECT_EQ(checksum(runtime_only), sum) << "another process has rooms of its own";
  for (std::uint32_t Record::*kept :
       {&Record::generation, &Record::details, &Record::state, &Record::attachment}) {
    Record torn = record;
    torn.*kept ^= 1U;
    EXPECT_NE(checksum(torn), sum);
  }
  Record answered = record;
  answered.auto_response_ms = 1;
  EXPECT_NE(checksum(answered), sum);
  Record compressed = record;
  compressed.set(flag::deflate);
  EXPECT_NE(checksum(compressed), sum);
  Record closing = record;
  closing.stage = Stage::closing;
  EXPECT_NE(checksum(closing), sum);
}

}  // namespace
}  // namespace ringroom::connection
