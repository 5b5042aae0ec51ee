// The simulated kernel: the end of requests and files, other rings, the clock.
#include "ring_sim_fixture.h"

#include <cerrno>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <unistd.h>

namespace ringroom::sim {
namespace {

TEST(SimRing, CancelsARequest) {
  Connected sim;
  sim.ring->receive(sim.file, receive_tag);
  turn(*sim.ring);
  sim.ring->cancel(receive_tag);
  const std::vector<Completion> completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 1U);
  EXPECT_EQ(completions[0].tag.bits, receive_tag.bits);
  EXPECT_EQ(completions[0].result, -ECANCELED);
  EXPECT_FALSE(completions[0].more);
  sim.client.write("stays in the socket");
  EXPECT_TRUE(turn(*sim.ring).empty());
}

TEST(SimRing, SaysThatThereIsNothingToCancel) {
  Connected sim;
  sim.ring->cancel(receive_tag);
  const std::vector<Completion> completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 1U);
  EXPECT_EQ(completions[0].tag.op(), Op::ignored);
}

TEST(SimRing, EndsEveryRequestOfAClosedFile) {
  Connected sim;
  sim.ring->receive(sim.file, receive_tag);
  turn(*sim.ring);
  sim.ring->close(sim.file, close_tag);
  const std::vector<Completion> completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 2U);
  EXPECT_EQ(completions[0].result + completions[1].result, -ECANCELED);
  EXPECT_EQ(sim.world.files_open(), 0U);
  EXPECT_TRUE(sim.client.saw_fin());
}

TEST(SimRing, DeliversACancelledRequestAfterTheCloseToo) {
  bool seen_after_reuse = false;
  for (std::uint64_t seed = 1; seed < 50 && !seen_after_reuse; ++seed) {
    FaultProfile faults;
    faults.completion_late = 0.9;
    SimWorld world(seed, faults);
    const int listener = world.listen();
    auto ring = make_ring();
    world.connect(listener);
    ring->accept(listener, accept_tag);
    while (wait_turn(*ring).empty()) continue;
    ring->receive(0, receive_tag);
    ring->close(0, close_tag);
    world.connect(listener);
    int accepted_before = 0;
    for (int ended = 0; ended < 3;) {
      for (const Completion& completion : wait_turn(*ring)) {
        ++ended;
        if (completion.tag.op() == Op::accept) accepted_before = completion.result == 0 ? 1 : 0;
        if (completion.tag.op() == Op::receive && accepted_before == 1) seen_after_reuse = true;
      }
    }
  }
  EXPECT_TRUE(seen_after_reuse);
}

TEST(SimRing, FreesAFileOnlyWithTheClosesCompletion) {
  FaultProfile faults;
  faults.close_late = 1;
  Connected sim(faults, 1);
  sim.ring->close(sim.file, close_tag);
  EXPECT_TRUE(turn(*sim.ring).empty());
  EXPECT_EQ(sim.world.files_open(), 1U);
  EXPECT_EQ(wait_turn(*sim.ring).at(0).tag.bits, close_tag.bits);
  EXPECT_EQ(sim.world.files_open(), 0U);
}

TEST(SimRing, PollsOnceForBytesOrTheEnd) {
  Connected sim;
  sim.ring->poll(sim.file, poll_tag);
  EXPECT_TRUE(turn(*sim.ring).empty());
  sim.client.write("x");
  EXPECT_GT(turn(*sim.ring).at(0).result, 0);
  EXPECT_TRUE(turn(*sim.ring).empty());
  sim.ring->poll(sim.file, poll_tag);
  EXPECT_GT(turn(*sim.ring).at(0).result, 0) << "poll looks at the level when it is armed";
}

TEST(SimRing, MovesAFileToAnotherRing) {
  Connected sim;
  auto home = make_ring(1);
  const Tag arrival = Tag::with_payload(Op::arrival, 77);
  const Tag move = Tag::of(Op::move, 1);
  sim.ring->move_file(sim.file, home->descriptor(), arrival, move);
  sim.ring->close(sim.file, close_tag);
  const std::vector<Completion> here = turn(*sim.ring);
  ASSERT_EQ(here.size(), 2U);
  EXPECT_GE(here[0].result, 0);
  EXPECT_FALSE(sim.client.is_closed());
  const std::vector<Completion> there = turn(*home);
  ASSERT_EQ(there.size(), 1U);
  EXPECT_EQ(there[0].tag.bits, arrival.bits);
  home->receive(static_cast<std::uint32_t>(there[0].result), receive_tag);
  sim.client.write("at home");
  EXPECT_EQ(text_of(turn(*home).at(0)), "at home");
}

TEST(SimRing, FailsToMoveIntoAFullTable) {
  Connected sim;
  auto home = make_ring(1);
  SimClient other = sim.world.connect(sim.listener);
  turn(*sim.ring);
  const Tag move = Tag::of(Op::move, 1);
  sim.ring->move_file(0, home->descriptor(), Tag::with_payload(Op::arrival, 1), move);
  sim.ring->move_file(1, home->descriptor(), Tag::with_payload(Op::arrival, 2), move);
  const std::vector<Completion> here = turn(*sim.ring);
  ASSERT_EQ(here.size(), 2U);
  EXPECT_EQ(here[0].result + here[1].result, -ENFILE);
  EXPECT_EQ(turn(*home).size(), 1U);
}

TEST(SimRing, WakesAnotherRing) {
  SimWorld world(1);
  auto ring = make_ring();
  auto other = make_ring();
  ring->wake(other->descriptor(), Tag::of(Op::letters, 3));
  EXPECT_TRUE(turn(*ring).empty());
  EXPECT_EQ(turn(*other).at(0).tag.slot(), 3U);
}

TEST(SimRing, RunsTheOthersWhileARingWaits) {
  SimWorld world(1);
  auto ring = make_ring();
  auto other = make_ring();
  world.set_while_waiting([&](int waiting) {
    EXPECT_EQ(waiting, ring->descriptor());
    other->wake(waiting, Tag::of(Op::letters, 0));
    turn(*other);
  });
  EXPECT_EQ(wait_turn(*ring).size(), 1U);
}

TEST(SimRing, ReadsAnEvent) {
  SimWorld world(1);
  auto ring = make_ring();
  const int event = eventfd(0, EFD_CLOEXEC);
  std::uint64_t counter = 0;
  ring->read_event(event, &counter, Tag::of(Op::event, 0));
  EXPECT_TRUE(turn(*ring).empty());
  eventfd_write(event, 5);
  EXPECT_EQ(turn(*ring).at(0).result, 8);
  EXPECT_EQ(counter, 5U);
  close(event);
}

TEST(SimRing, EndsAMultishotWhoseCompletionQueueIsFull) {
  FaultProfile faults;
  faults.features.incremental_buffers = false;
  Connected sim(faults, 8, 2);
  sim.ring->receive(sim.file, receive_tag);
  sim.client.write(std::string(80'000, 'x'));
  const std::vector<Completion> completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 3U);
  EXPECT_TRUE(completions[1].more);
  EXPECT_FALSE(completions[2].more);
  EXPECT_GT(completions[2].result, 0);
}

TEST(SimRing, JumpsToTheDeadlineWhenNothingHappens) {
  SimWorld world(1);
  auto ring = make_ring();
  const std::uint64_t deadline = ring->now_ns() + 5'000'000'000;
  ring->submit_and_wait(deadline);
  EXPECT_GE(ring->now_ns(), deadline);
  EXPECT_LT(ring->now_ns(), deadline + 1'000'000);
  world.limit_time(world.now_ns() + 1000);
  ring->submit_and_wait(deadline + 5'000'000'000);
  EXPECT_LT(ring->now_ns(), deadline + 1'000'000);
  EXPECT_TRUE(world.is_quiet());
}

TEST(SimRing, LeavesNoBusyRingBehind) {
  SimWorld world(1);
  auto ring = make_ring();
  auto busy = make_ring();
  const std::uint64_t before = world.now_ns();
  ring->submit_and_wait(before + 5'000'000'000);
  EXPECT_LT(world.now_ns(), before + 1'000'000);
  EXPECT_FALSE(world.is_quiet());
}

TEST(SimRing, NamesThePeer) {
  Connected sim;
  EXPECT_EQ(sim.ring->peer_address(sim.file), sim.client.address());
}

TEST(SimRing, KeepsToTheFeaturesThatAreAllowed) {
  SimWorld world(1);
  auto ring = make_ring(8, 64, std::vector<std::string>{"min-wait"});
  EXPECT_TRUE(ring->features().min_wait);
  EXPECT_FALSE(ring->features().incremental_buffers);
  EXPECT_EQ(make_ring(8, 64, std::vector<std::string>{"magic"}), nullptr);
}

}  // namespace
}  // namespace ringroom::sim
