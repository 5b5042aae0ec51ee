#include "agent/watch.h"

#include <array>
#include <atomic>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace ringroom::agent_runtime {
namespace {

TEST(Watch, IsInsideBetweenEnterAndLeave) {
  Watch watch;
  const int room = 0;
  EXPECT_FALSE(watch.inside());
  watch.enter(&room, "chat-room", "lobby");
  EXPECT_TRUE(watch.inside());
  EXPECT_EQ(watch.label(), "chat-room/lobby");
  watch.leave();
  EXPECT_FALSE(watch.inside());
}

TEST(Watch, GivesEachCallbackANumber) {
  Watch watch;
  const int room = 0;
  watch.enter(&room, "echo", "x");
  const std::uint64_t first = watch.sequence();
  EXPECT_EQ(watch.label_of(first), "echo/x");
  watch.leave();
  EXPECT_EQ(watch.label_of(first), "");
  watch.enter(&room, "echo", "x");
  EXPECT_EQ(watch.label_of(first), "");
  EXPECT_EQ(watch.label_of(watch.sequence()), "echo/x");
}

TEST(Watch, ChangesItsLabelWithTheRoom) {
  Watch watch;
  const int rooms[2] = {};
  watch.enter(&rooms[0], "chat-room", "a-long-name-of-a-room");
  watch.leave();
  watch.enter(&rooms[1], "echo", "");
  EXPECT_EQ(watch.label(), "echo/");
  EXPECT_EQ(watch.label_of(watch.sequence()), "echo/");
}

TEST(Watch, ForgetsARoomWhoseAddressComesAgain) {
  Watch watch;
  const int room = 0;
  watch.enter(&room, "echo", "old");
  watch.leave();
  watch.forget(&room);
  watch.enter(&room, "echo", "new");
  EXPECT_EQ(watch.label(), "echo/new");
}

TEST(Watch, CutsLongNames) {
  Watch watch;
  const int room = 0;
  watch.enter(&room, std::string(300, 'c'), std::string(300, 'r'));
  EXPECT_EQ(watch.label(), std::string(80, 'c') + "/" + std::string(79, 'r'));
  EXPECT_EQ(watch.label_of(watch.sequence()), watch.label());
}

TEST(Watch, IsKnownToItsThreadOnly) {
  Watch watch;
  EXPECT_EQ(Watch::of_thread(), nullptr);
  Watch::set_of_thread(&watch);
  const Watch* elsewhere = &watch;
  std::thread([&elsewhere] { elsewhere = Watch::of_thread(); }).join();
  EXPECT_EQ(elsewhere, nullptr);
  EXPECT_EQ(Watch::of_thread(), &watch);
  Watch::set_of_thread(nullptr);
}

// The room's number stands in the label many times, so that a torn one is recognised.
std::string room_of(std::uint64_t number) {
  std::string name;
  for (int i = 0; i < 10; ++i) name += std::to_string(number % 7);
  return name + std::string(number % 7 * 8, 'x');
}

TEST(Watch, NeverShowsATornLabelToAnotherThread) {
  Watch watch;
  std::atomic<bool> ended = false;
  std::atomic<int> seen = 0;
  std::thread shard([&watch, &ended, &seen] {
    const std::array<int, 7> rooms{};
    for (std::uint64_t i = 0; i < 20'000 || seen.load() < 100; ++i) {
      watch.enter(&rooms[i % 7], "echo", room_of(i));
      if (i % 64 == 0) std::this_thread::yield();
      watch.leave();
    }
    ended.store(true);
  });
  int wrong = 0;
  while (!ended.load()) {
    const std::uint64_t sequence = watch.sequence();
    if (sequence % 2 == 0) continue;
    const std::string label = watch.label_of(sequence);
    if (label.empty()) continue;
    // The n-th callback has the sequence 2n + 1.
    if (label != "echo/" + room_of(sequence / 2)) ++wrong;
    seen.fetch_add(1);
  }
  shard.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(seen.load(), 100);
}

}  // namespace
}  // namespace ringroom::agent_runtime
