#include "base/pool.h"

#include "base/recycler.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::base {
namespace {

TEST(Pool, MakesAndDestroysObjects) {
  Pool<std::shared_ptr<int>> pool;
  const auto witness = std::make_shared<int>(7);
  const std::uint32_t index = pool.make(witness);
  EXPECT_EQ(*pool[index], 7);
  EXPECT_EQ(witness.use_count(), 2);
  EXPECT_EQ(pool.size(), 1U);
  pool.destroy(index);
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_EQ(pool.size(), 0U);
}

TEST(Pool, LeavesObjectsInPlaceWhenItGrows) {
  Pool<std::string> pool;
  std::vector<std::uint32_t> indices;
  std::vector<std::string*> places;
  for (int i = 0; i < 1000; ++i) {
    indices.push_back(pool.make(std::to_string(i)));
    places.push_back(&pool[indices.back()]);
  }
  EXPECT_EQ(std::set<std::uint32_t>(indices.begin(), indices.end()).size(), 1000U);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    EXPECT_EQ(&pool[indices[i]], places[i]);
    EXPECT_EQ(pool[indices[i]], std::to_string(i));
  }
  for (const std::uint32_t index : indices) pool.destroy(index);
}

TEST(Pool, TakesSmallIndicesFirstAndAgain) {
  Pool<int> pool;
  EXPECT_EQ(pool.make(1), 0U);
  EXPECT_EQ(pool.make(2), 1U);
  pool.destroy(0);
  EXPECT_EQ(pool.make(3), 0U);
  EXPECT_EQ(pool[1], 2);
  pool.destroy(0);
  pool.destroy(1);
}

TEST(Pool, StartsAgainAfterAllWereGivenBack) {
  Pool<std::string> pool;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::uint32_t> indices;
    for (std::uint32_t i = 0; i < Pool<std::string>::chunk_objects * 3; ++i) {
      indices.push_back(pool.make("storm"));
    }
    for (const std::uint32_t index : indices) pool.destroy(index);
    EXPECT_EQ(pool.size(), 0U);
  }
  EXPECT_EQ(pool.make("first"), 0U);
  pool.destroy(0);
}

TEST(PoolDeathTest, RefusesToDieWithLiveObjects) {
  EXPECT_DEATH(
      {
        Pool<int> pool;
        pool.make(1);
      },
      "assertion failed: live_ == 0");
}

TEST(Recycler, GivesObjectsOnceUntilTheyComeBack) {
  Recycler<int> recycler;
  std::set<std::uint32_t> taken;
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(taken.insert(recycler.take()).second);
  EXPECT_EQ(recycler.taken(), 200U);
  recycler.give_back(17);
  EXPECT_EQ(recycler.take(), 17U);
}

TEST(Recycler, KeepsAddressesAndWhatObjectsHold) {
  Recycler<std::vector<int>> recycler;
  const std::uint32_t index = recycler.take();
  recycler[index].reserve(1000);
  const std::vector<int>* place = &recycler[index];
  std::vector<std::uint32_t> others;
  for (int i = 0; i < 500; ++i) others.push_back(recycler.take());
  EXPECT_EQ(&recycler[index], place);
  recycler.give_back(index);
  EXPECT_EQ(recycler.take(), index);
  EXPECT_EQ(recycler[index].capacity(), 1000U);
}

TEST(Recycler, FreesItsMemoryAfterAStorm) {
  Recycler<std::shared_ptr<int>> recycler;
  const auto witness = std::make_shared<int>(1);
  std::vector<std::uint32_t> taken;
  for (int i = 0; i < 64 * 20; ++i) {
    taken.push_back(recycler.take());
    recycler[taken.back()] = witness;
  }
  EXPECT_EQ(witness.use_count(), 64 * 20 + 1);
  for (const std::uint32_t index : taken) recycler.give_back(index);
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_EQ(recycler.take(), 0U);
}

TEST(Recycler, KeepsItsMemoryAfterACalmDay) {
  Recycler<std::vector<int>> recycler;
  const std::uint32_t index = recycler.take();
  recycler[index].reserve(1000);
  recycler.give_back(index);
  EXPECT_EQ(recycler.taken(), 0U);
  EXPECT_EQ(recycler[recycler.take()].capacity(), 1000U);
}

}  // namespace
}  // namespace ringroom::base
