#include "base/timer_heap.h"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::base {
namespace {

TEST(TimerHeap, HasNoDeadlineWhenEmpty) {
  TimerHeap heap;
  EXPECT_EQ(heap.next_deadline(), UINT64_MAX);
  EXPECT_EQ(heap.take_due(UINT64_MAX), nullptr);
  EXPECT_EQ(heap.size(), 0U);
}

TEST(TimerHeap, GivesTimersAtTheirDeadlineNotBefore) {
  TimerHeap heap;
  Timer timer;
  heap.set(timer, 100);
  EXPECT_TRUE(timer.is_set());
  EXPECT_EQ(heap.next_deadline(), 100U);
  EXPECT_EQ(heap.take_due(99), nullptr);
  EXPECT_EQ(heap.take_due(100), &timer);
  EXPECT_FALSE(timer.is_set());
  EXPECT_EQ(heap.take_due(100), nullptr);
}

TEST(TimerHeap, GivesTheEarliestFirst) {
  TimerHeap heap;
  std::array<Timer, 100> timers;
  for (std::size_t i = 0; i < timers.size(); ++i) heap.set(timers[i], (i * 37) % 101);
  std::uint64_t last = 0;
  std::size_t taken = 0;
  while (const Timer* due = heap.take_due(1000)) {
    EXPECT_GE(due->deadline_ns, last);
    last = due->deadline_ns;
    ++taken;
  }
  EXPECT_EQ(taken, timers.size());
}

TEST(TimerHeap, MovesATimerThatIsSetAgain) {
  TimerHeap heap;
  Timer early;
  Timer late;
  heap.set(early, 10);
  heap.set(late, 20);
  heap.set(early, 30);
  EXPECT_EQ(heap.size(), 2U);
  EXPECT_EQ(heap.take_due(25), &late);
  heap.set(early, 5);
  EXPECT_EQ(heap.take_due(5), &early);
}

TEST(TimerHeap, ForgetsACancelledTimer) {
  TimerHeap heap;
  Timer timer;
  heap.cancel(timer);
  heap.set(timer, 10);
  heap.cancel(timer);
  heap.cancel(timer);
  EXPECT_FALSE(timer.is_set());
  EXPECT_EQ(heap.next_deadline(), UINT64_MAX);
}

// A heap of timers against a plain list of deadlines, for many steps by a seed.
class TimerModel {
 public:
  explicit TimerModel(std::uint64_t seed) : random_(seed), timers_(200) {}

  void step() {
    Timer& timer = timers_[random_() % timers_.size()];
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
      case 3: heap_.set(timer, now_ + random_() % 500); break;
      case 4: heap_.cancel(timer); break;
      default: expire(); break;
    }
    check();
  }

 private:
  void expire() {
    now_ += random_() % 20;
    for (;;) {
      const std::uint64_t earliest = earliest_deadline();
      const Timer* due = heap_.take_due(now_);
      if (due == nullptr) {
        ASSERT_GT(earliest, now_);
        return;
      }
      ASSERT_EQ(due->deadline_ns, earliest);
      ASSERT_FALSE(due->is_set());
    }
  }
  std::uint64_t earliest_deadline() const {
    std::uint64_t earliest = UINT64_MAX;
    for (const Timer& timer : timers_) {
      if (timer.is_set()) earliest = std::min(earliest, timer.deadline_ns);
    }
    return earliest;
  }
  void check() const {
    const auto set = std::count_if(timers_.begin(), timers_.end(),
                                   [](const Timer& timer) { return timer.is_set(); });
    ASSERT_EQ(heap_.size(), static_cast<std::size_t>(set));
    ASSERT_EQ(heap_.next_deadline(), earliest_deadline());
  }

  std::mt19937_64 random_;
  std::vector<Timer> timers_;
  TimerHeap heap_;
  std::uint64_t now_ = 0;
};

TEST(TimerHeap, AgreesWithAPlainListOfDeadlines) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  TimerModel model(seed);
  for (int i = 0; i < 20'000 && !testing::Test::HasFatalFailure(); ++i) model.step();
}

}  // namespace
}  // namespace ringroom::base
