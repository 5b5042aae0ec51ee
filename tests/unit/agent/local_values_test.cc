#include "agent/local_values.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::agent_runtime {
namespace {

struct Score {
  std::string name = "new";
  std::shared_ptr<int> witness;
};

struct alignas(64) Wide {
  int number = 3;
};

class LocalValuesTest : public testing::Test {
 protected:
  Score& at(std::size_t index, std::size_t members) {
    return *static_cast<Score*>(values_.at(detail::local_type<Score>, index, members));
  }

  LocalValues values_;
};

TEST_F(LocalValuesTest, MakesAValueForEachMember) {
  EXPECT_EQ(at(2, 3).name, "new");
  at(0, 3).name = "first";
  EXPECT_EQ(at(0, 3).name, "first");
  EXPECT_EQ(at(1, 3).name, "new");
}

TEST_F(LocalValuesTest, KeepsValuesWhenMembersCome) {
  for (std::size_t members = 1; members <= 100; ++members) {
    at(members - 1, members).name = std::to_string(members - 1);
  }
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(at(i, 100).name, std::to_string(i));
}

TEST_F(LocalValuesTest, MovesTheLastOneToThePlaceOfWhoLeft) {
  for (std::size_t i = 0; i < 4; ++i) at(i, 4).name = std::to_string(i);
  values_.leave(1, 3);
  EXPECT_EQ(at(0, 3).name, "0");
  EXPECT_EQ(at(1, 3).name, "3");
  EXPECT_EQ(at(2, 3).name, "2");
  EXPECT_EQ(at(3, 4).name, "new");
}

TEST_F(LocalValuesTest, ForgetsTheLastOneWhenItLeaves) {
  at(0, 2).name = "stays";
  at(1, 2).name = "goes";
  values_.leave(1, 1);
  EXPECT_EQ(at(0, 1).name, "stays");
  EXPECT_EQ(at(1, 2).name, "new");
}

TEST_F(LocalValuesTest, GivesTheMovedMemberItsOwnValueNotTheOldOnes) {
  at(0, 2).name = "gone";
  values_.leave(0, 5);  // the member at 5 came later and never had a value
  EXPECT_EQ(at(0, 5).name, "new");
}

TEST_F(LocalValuesTest, IgnoresLeavesBeforeTheFirstUse) {
  values_.leave(3, 7);
  values_.leave(0, 0);
  EXPECT_EQ(at(0, 1).name, "new");
}

TEST_F(LocalValuesTest, DestroysEachValueOnce) {
  const auto witness = std::make_shared<int>(0);
  for (std::size_t i = 0; i < 50; ++i) at(i, i + 1).witness = witness;
  EXPECT_EQ(witness.use_count(), 51);
  values_.leave(10, 49);
  EXPECT_EQ(witness.use_count(), 50);
  values_.leave(48, 48);
  EXPECT_EQ(witness.use_count(), 49);
  values_.clear();
  EXPECT_EQ(witness.use_count(), 1);
}

TEST_F(LocalValuesTest, RefusesAnotherTypeUntilCleared) {
  at(0, 1);
  EXPECT_THROW(values_.at(detail::local_type<int>, 0, 1), std::logic_error);
  values_.clear();
  EXPECT_EQ(*static_cast<int*>(values_.at(detail::local_type<int>, 0, 1)), 0);
}

TEST_F(LocalValuesTest, RespectsAlignment) {
  for (std::size_t i = 0; i < 20; ++i) {
    void* value = values_.at(detail::local_type<Wide>, i, i + 1);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(value) % alignof(Wide), 0U);
    EXPECT_EQ(static_cast<Wide*>(value)->number, 3);
  }
}

}  // namespace
}  // namespace ringroom::agent_runtime
