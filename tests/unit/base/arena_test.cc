#include "base/arena.h"

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::base {
namespace {

TEST(Arena, TakesWhatFollowsEachOtherContiguously) {
  Arena arena;
  std::byte* first = arena.take(3);
  std::byte* second = arena.take(5);
  EXPECT_EQ(second, first + 3);
  EXPECT_EQ(arena.take(0), second + 5);
  EXPECT_EQ(arena.take(1), second + 5);
}

TEST(Arena, KeepsCopiesOfText) {
  Arena arena;
  std::string text = "frame";
  const std::string_view kept = arena.keep(text);
  text = "other";
  EXPECT_EQ(kept, "frame");
  EXPECT_EQ(arena.keep("").size(), 0U);
}

TEST(Arena, LeavesOldBytesInPlaceWhenItGrows) {
  Arena arena;
  std::vector<std::string_view> kept;
  std::vector<std::string> wanted;
  for (std::size_t i = 0; i < 40; ++i) {
    wanted.emplace_back(i % 7 == 0 ? Arena::block_bytes + i : 30'000 + i,
                        static_cast<char>('a' + i % 26));
    kept.push_back(arena.keep(wanted.back()));
  }
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(kept[i], wanted[i]) << i;
}

TEST(Arena, TakesAWholeBlockAndMoreThanOne) {
  Arena arena;
  std::memset(arena.take(Arena::block_bytes), 1, Arena::block_bytes);
  std::memset(arena.take(Arena::block_bytes * 3), 2, Arena::block_bytes * 3);
  std::byte* next = arena.take(1);
  *next = std::byte{3};
  EXPECT_EQ(*next, std::byte{3});
}

TEST(Arena, UsesItsBlocksAgainAfterReset) {
  Arena arena;
  std::byte* first = arena.take(10);
  arena.take(Arena::block_bytes);
  arena.reset();
  EXPECT_EQ(arena.take(10), first);
}

TEST(Arena, StartsAfreshWhenALargePieceWasLast) {
  Arena arena;
  std::byte* first = arena.take(1);
  arena.take(Arena::block_bytes + 1);
  arena.reset();
  EXPECT_EQ(arena.take(1), first);
}

TEST(Arena, ResetsWhenNothingWasTaken) {
  Arena arena;
  arena.reset();
  arena.reset();
  EXPECT_NE(arena.take(1), nullptr);
}

}  // namespace
}  // namespace ringroom::base
