#include "connection/blob_store.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::connection {
namespace {

// How many blobs of a size are in the first chunk of a store, which tells the size of their cells.
std::size_t blobs_per_chunk(std::size_t bytes) {
  BlobStore blobs;
  std::size_t count = 0;
  for (;; ++count) {
    blobs.allocate(bytes);
    if (blobs.chunks_in_use() == 2) return count;
  }
}

TEST(BlobStore, KeepsBytesAsAskedFor) {
  BlobStore blobs;
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{126},
        std::size_t{127}, std::size_t{510}, std::size_t{511}, BlobStore::bytes_max}) {
    const BlobStore::Handle handle = blobs.allocate(bytes);
    ASSERT_NE(handle, BlobStore::none);
    EXPECT_EQ(blobs.bytes(handle).size(), bytes);
    std::fill_n(blobs.bytes(handle).data(), bytes, std::byte{0xaa});
  }
}

TEST(BlobStore, HasCellsInStepsOf4UpTo128) {
  EXPECT_EQ(blobs_per_chunk(0), 65'536U / 4);
  EXPECT_EQ(blobs_per_chunk(2), 65'536U / 4);
  EXPECT_EQ(blobs_per_chunk(3), 65'536U / 8);
  EXPECT_EQ(blobs_per_chunk(64), 65'536U / 68);
  EXPECT_EQ(blobs_per_chunk(126), 65'536U / 128);
}

TEST(BlobStore, HasCellsInStepsOf16UpTo512) {
  EXPECT_EQ(blobs_per_chunk(127), 65'536U / 144);
  EXPECT_EQ(blobs_per_chunk(142), 65'536U / 144);
  EXPECT_EQ(blobs_per_chunk(143), 65'536U / 160);
  EXPECT_EQ(blobs_per_chunk(510), 65'536U / 512);
}

TEST(BlobStore, HasCellsOfPowersOfTwoAbove512) {
  EXPECT_EQ(blobs_per_chunk(511), 64U);
  EXPECT_EQ(blobs_per_chunk(1022), 64U);
  EXPECT_EQ(blobs_per_chunk(1023), 32U);
  EXPECT_EQ(blobs_per_chunk(2047), 16U);
  EXPECT_EQ(blobs_per_chunk(4095), 8U);
  EXPECT_EQ(blobs_per_chunk(8191), 4U);
  EXPECT_EQ(blobs_per_chunk(16'383), 2U);
  EXPECT_EQ(blobs_per_chunk(BlobStore::bytes_max), 2U);
}

TEST(BlobStore, GivesChunksBackWhenTheyAreEmpty) {
  BlobStore blobs;
  std::vector<BlobStore::Handle> handles;
  for (int i = 0; i < 500; ++i) handles.push_back(blobs.allocate(1000));
  EXPECT_EQ(blobs.chunks_in_use(), 8U);
  for (const BlobStore::Handle handle : handles) blobs.free(handle);
  EXPECT_EQ(blobs.chunks_in_use(), 0U);
  const BlobStore::Handle handle = blobs.allocate(10);
  EXPECT_EQ(blobs.chunks_in_use(), 1U);
  EXPECT_LT(handle, 8U * 16'384U);  // in the memory of the first eight
}

TEST(BlobStore, UsesFreedCellsOfAFullChunkAgain) {
  BlobStore blobs;
  std::vector<BlobStore::Handle> handles;
  for (int i = 0; i < 4; ++i) handles.push_back(blobs.allocate(30'000));
  EXPECT_EQ(blobs.chunks_in_use(), 2U);
  blobs.free(handles[0]);
  blobs.free(handles[2]);
  blobs.allocate(30'000);
  blobs.allocate(30'000);
  EXPECT_EQ(blobs.chunks_in_use(), 2U);
}

TEST(BlobStoreDeathTest, RefusesTooManyBytes) {
  BlobStore blobs;
  EXPECT_DEATH(blobs.allocate(BlobStore::bytes_max + 1), "assertion failed");
}

// A store against a map of strings, for many steps by a seed.
class BlobModel {
 public:
  explicit BlobModel(std::uint64_t seed) : random_(seed) {}

  void step() {
    const bool grows = random_() % 2 == 0 ? kept_.size() < 3000 : kept_.size() < 300;
    if (kept_.empty() || (grows && random_() % 3 != 0)) {
      put();
    } else {
      drop(std::next(kept_.begin(), static_cast<std::ptrdiff_t>(random_() % kept_.size())));
    }
  }
  void drop_all() {
    while (!kept_.empty()) drop(kept_.begin());
    EXPECT_EQ(blobs_.chunks_in_use(), 0U);
  }

 private:
  using Kept = std::map<BlobStore::Handle, std::string>;

  void put() {
    constexpr std::size_t bounds[] = {16, 100, 600, 4000, BlobStore::bytes_max};
    const std::size_t bytes = random_() % (bounds[random_() % 5] + 1);
    const BlobStore::Handle handle = blobs_.allocate(bytes);
    ASSERT_NE(handle, BlobStore::none);
    const std::string text(bytes, static_cast<char>(random_() % 256));
    std::memcpy(blobs_.bytes(handle).data(), text.data(), bytes);
    ASSERT_TRUE(kept_.emplace(handle, text).second);
  }
  void drop(Kept::iterator kept) {
    const auto bytes = blobs_.bytes(kept->first);
    ASSERT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), kept->second);
    blobs_.free(kept->first);
    kept_.erase(kept);
  }

  std::mt19937_64 random_;
  BlobStore blobs_;
  Kept kept_;
};

TEST(BlobStore, AgreesWithAMapOfStrings) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  BlobModel model(seed);
  for (int round = 0; round < 3 && !testing::Test::HasFatalFailure(); ++round) {
    for (int i = 0; i < 10'000 && !testing::Test::HasFatalFailure(); ++i) model.step();
    model.drop_all();
  }
}

}  // namespace
}  // namespace ringroom::connection
