#include "load/sequence.h"

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

TEST(Sequence, TakesNumbersInOrder) {
  Sequence sequence;
  for (std::uint32_t number = 0; number < 200; ++number) {
    EXPECT_EQ(sequence.take(number), Arrival::in_order);
  }
}

TEST(Sequence, KnowsWhatCameTwice) {
  Sequence sequence;
  sequence.take(0);
  EXPECT_EQ(sequence.take(0), Arrival::duplicate);
  sequence.take(1);
  EXPECT_EQ(sequence.take(0), Arrival::duplicate);
  EXPECT_EQ(sequence.take(1), Arrival::duplicate);
  EXPECT_EQ(sequence.take(2), Arrival::in_order);
}

TEST(Sequence, KnowsWhatComesBehindALaterOne) {
  Sequence sequence;
  EXPECT_EQ(sequence.take(3), Arrival::in_order);
  EXPECT_EQ(sequence.take(1), Arrival::late);
  EXPECT_EQ(sequence.take(1), Arrival::duplicate);
  EXPECT_EQ(sequence.take(0), Arrival::late);
  EXPECT_EQ(sequence.take(2), Arrival::late);
  EXPECT_EQ(sequence.take(4), Arrival::in_order);
}

TEST(Sequence, RemembersItsWindowAndNoMore) {
  Sequence sequence;
  sequence.take(Sequence::window);  // 0 is just out of it
  EXPECT_EQ(sequence.take(1), Arrival::late);
  EXPECT_EQ(sequence.take(0), Arrival::duplicate);
}

TEST(Sequence, TakesALargeGap) {
  Sequence sequence;
  sequence.take(0);
  EXPECT_EQ(sequence.take(1'000'000), Arrival::in_order);
  EXPECT_EQ(sequence.take(999'999), Arrival::late);
}

}  // namespace
}  // namespace ringroom::load
