#include "base/spsc_queue.h"

#include <cstdint>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

namespace ringroom::base {
namespace {

TEST(SpscQueue, GivesBackInOrder) {
  SpscQueue<int, 4> queue;
  int value = 0;
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.pop(value));
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  EXPECT_FALSE(queue.empty());
  EXPECT_TRUE(queue.pop(value));
  EXPECT_EQ(value, 1);
  EXPECT_TRUE(queue.pop(value));
  EXPECT_EQ(value, 2);
  EXPECT_FALSE(queue.pop(value));
}

TEST(SpscQueue, RefusesMoreThanItsCapacity) {
  SpscQueue<int, 4> queue;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(queue.push(i));
  EXPECT_FALSE(queue.push(4));
  int value = 0;
  EXPECT_TRUE(queue.pop(value));
  EXPECT_EQ(value, 0);
  EXPECT_TRUE(queue.push(4));
  EXPECT_FALSE(queue.push(5));
  for (int wanted = 1; wanted <= 4; ++wanted) {
    EXPECT_TRUE(queue.pop(value));
    EXPECT_EQ(value, wanted);
  }
  EXPECT_TRUE(queue.empty());
}

// What is written before a push is there after its pop, without another lock: ThreadSanitizer sees.
TEST(SpscQueue, CarriesEverythingBetweenTwoThreads) {
  struct Letter {
    std::uint64_t number;
    std::uint64_t* body;
  };
  constexpr std::uint64_t letters = 100'000;
  static SpscQueue<Letter, 64> queue;
  std::thread sender([] {
    for (std::uint64_t i = 0; i < letters; ++i) {
      auto body = std::make_unique<std::uint64_t>(i * 3);
      while (!queue.push({i, body.get()})) std::this_thread::yield();
      body.release();
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < letters; ++i) {
    Letter letter{};
    while (!queue.pop(letter)) std::this_thread::yield();
    const std::unique_ptr<std::uint64_t> body(letter.body);
    if (letter.number != i || *body != i * 3) ++wrong;
  }
  sender.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace ringroom::base
