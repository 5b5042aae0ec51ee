// The simulated kernel against what is known of the real one: accepting, receiving, sending.
#include "base/poison.h"
#include "ring_sim_fixture.h"

#include <cerrno>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::sim {
namespace {

TEST(RingSim, ConnectsToTheFarEnd) {
  SimWorld world(1);
  const auto ring = make_ring();
  SimClient far;
  world.set_remote([&far](SimClient end) {
    far = std::move(end);
    return true;
  });
  constexpr Tag connect_tag = Tag::of(Op::connect, 3);
  EXPECT_EQ(ring->connect(3, {}, {}, connect_tag), 0);
  EXPECT_EQ(turn(*ring).at(0).result, 0);
  ring->receive(3, receive_tag);
  world.at(world.now_ns() + 5'000'000, [&far] { far.write("later"); });
  const std::uint64_t before = world.now_ns();
  EXPECT_EQ(text_of(wait_turn(*ring).at(0)), "later");
  EXPECT_GE(world.now_ns(), before + 5'000'000);
  world.set_remote([](SimClient) { return false; });
  EXPECT_EQ(ring->connect(4, {}, {}, connect_tag), 0);
  EXPECT_EQ(turn(*ring).at(0).result, -ECONNREFUSED);
}

TEST(SimRing, AcceptsIntoTheLowestFreeFiles) {
  SimWorld world(1);
  const int listener = world.listen();
  auto ring = make_ring();
  for (int i = 0; i < 3; ++i) world.connect(listener);
  ring->accept(listener, accept_tag);
  std::vector<Completion> accepted = turn(*ring);
  ASSERT_EQ(accepted.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(accepted[static_cast<std::size_t>(i)].result, i);
    EXPECT_TRUE(accepted[static_cast<std::size_t>(i)].more);
  }
  ring->close(1, close_tag);
  turn(*ring);
  world.connect(listener);
  accepted = turn(*ring);
  ASSERT_EQ(accepted.size(), 1U);
  EXPECT_EQ(accepted[0].result, 1);
}

TEST(SimRing, LosesTheConnectionThatFindsTheTableFull) {
  SimWorld world(1);
  const int listener = world.listen();
  auto ring = make_ring(1);
  SimClient kept = world.connect(listener);
  SimClient lost = world.connect(listener);
  ring->accept(listener, accept_tag);
  const std::vector<Completion> accepted = turn(*ring);
  ASSERT_EQ(accepted.size(), 2U);
  EXPECT_EQ(accepted[1].result, -ENFILE);
  EXPECT_FALSE(accepted[1].more);
  EXPECT_FALSE(kept.is_closed());
  EXPECT_TRUE(lost.is_closed());
  EXPECT_EQ(world.backlog(listener), 0U);
}

TEST(SimRing, ReceivesInOrderAndThenTheEnd) {
  Connected sim;
  sim.ring->receive(sim.file, receive_tag);
  sim.client.write("one");
  std::vector<Completion> completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 1U);
  EXPECT_EQ(text_of(completions[0]), "one");
  EXPECT_TRUE(completions[0].more);
  sim.ring->release(completions[0].buffer);
  sim.client.write("two");
  sim.client.close_write();
  completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 2U);
  EXPECT_EQ(text_of(completions[0]), "two");
  EXPECT_EQ(completions[1].result, 0);
  EXPECT_FALSE(completions[1].more);
  EXPECT_FALSE(completions[1].has_buffer);
  sim.ring->release(completions[0].buffer);
  EXPECT_EQ(sim.world.buffer_users(), 0U);
}

TEST(SimRing, ReceivesOnceOnly) {
  Connected sim;
  sim.ring->receive_once(sim.file, once_tag);
  sim.client.write("one");
  ASSERT_EQ(turn(*sim.ring).size(), 1U);
  sim.client.write("two");
  EXPECT_TRUE(turn(*sim.ring).empty());
  sim.ring->receive_once(sim.file, once_tag);
  const std::vector<Completion> completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 1U);
  EXPECT_EQ(text_of(completions[0]), "two");
  EXPECT_FALSE(completions[0].more);
}

TEST(SimRing, CutsReceivesAtTheEndOfAFixedBuffer) {
  FaultProfile faults;
  faults.features.incremental_buffers = false;
  Connected sim(faults);
  sim.ring->receive(sim.file, receive_tag);
  sim.client.write(std::string(40'000, 'x'));
  const std::vector<Completion> completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 3U);
  EXPECT_EQ(completions[0].result, 16'384);
  EXPECT_EQ(completions[2].result, 40'000 - 2 * 16'384);
  EXPECT_NE(completions[0].buffer, completions[1].buffer);
}

TEST(SimRing, SharesAnIncrementalBufferAmongReceives) {
  Connected sim;
  sim.ring->receive(sim.file, receive_tag);
  sim.client.write("abc");
  const std::vector<Completion> first = turn(*sim.ring);
  sim.client.write("def");
  const std::vector<Completion> second = turn(*sim.ring);
  ASSERT_EQ(first.size() + second.size(), 2U);
  EXPECT_EQ(first[0].buffer, second[0].buffer);
  EXPECT_EQ(second[0].data, first[0].data + 3);
  EXPECT_EQ(text_of(first[0]) + text_of(second[0]), "abcdef");
}

TEST(SimRing, MeetsNoBufferAndLosesNothing) {
  FaultProfile faults;
  faults.features.incremental_buffers = false;
  faults.ring_buffers = 2;
  faults.ring_buffer_bytes = 4;
  Connected sim(faults);
  sim.ring->receive(sim.file, receive_tag);
  sim.client.write("aaaabbbbcc");
  sim.client.close_write();
  std::vector<Completion> completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 3U);
  EXPECT_EQ(completions[2].result, -ENOBUFS);
  EXPECT_FALSE(completions[2].more);
  EXPECT_EQ(sim.ring->buffers_exhausted_total(), 1U);
  EXPECT_FALSE(sim.ring->take_refilled());
  sim.ring->receive(sim.file, receive_tag);
  EXPECT_EQ(turn(*sim.ring).at(0).result, -ENOBUFS);
  sim.ring->release(completions[0].buffer);
  EXPECT_TRUE(sim.ring->take_refilled());
  EXPECT_FALSE(sim.ring->take_refilled());
  sim.ring->receive(sim.file, receive_tag);
  completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 2U);
  EXPECT_EQ(text_of(completions[0]), "cc");
  EXPECT_EQ(completions[1].result, -ENOBUFS) << "the end needs a buffer too";
}

TEST(SimRing, HoldsABufferUntilItsLastUserIsGone) {
  FaultProfile faults;
  faults.features.incremental_buffers = false;
  Connected sim(faults);
  sim.ring->receive(sim.file, receive_tag);
  sim.client.write("abc");
  const std::vector<Completion> completions = turn(*sim.ring);
  sim.ring->hold(completions.at(0).buffer);
  sim.ring->release(completions[0].buffer);
  EXPECT_EQ(text_of(completions[0]), "abc");
  sim.ring->release(completions[0].buffer);
  EXPECT_EQ(sim.world.buffer_users(), 0U);
  base::unpoison(completions[0].data, 3);
  EXPECT_EQ(text_of(completions[0]), "\xdd\xdd\xdd");
}

TEST(SimRing, TellsAResetOnceToWhoeverAsksFirst) {
  Connected sim;
  sim.client.reset();
  sim.ring->send(sim.file, bytes_of("x"), send_tag);
  EXPECT_EQ(turn(*sim.ring).at(0).result, -ECONNRESET);
  sim.ring->send(sim.file, bytes_of("x"), send_tag);
  EXPECT_EQ(turn(*sim.ring).at(0).result, -EPIPE);
  sim.ring->receive(sim.file, receive_tag);
  EXPECT_EQ(turn(*sim.ring).at(0).result, 0);
}

TEST(SimRing, ReceivesWhatCameBeforeAReset) {
  Connected sim;
  sim.client.write("x");
  sim.ring->receive_once(sim.file, once_tag);
  turn(*sim.ring);
  sim.client.reset();
  sim.ring->receive(sim.file, receive_tag);
  const std::vector<Completion> completions = turn(*sim.ring);
  ASSERT_EQ(completions.size(), 1U);
  EXPECT_EQ(completions[0].result, -ECONNRESET);
  EXPECT_FALSE(completions[0].more);
}

TEST(SimRing, SendsSilentlyWhatFits) {
  Connected sim;
  const std::string text = "hello";
  sim.ring->send(sim.file, bytes_of(text), send_tag);
  EXPECT_TRUE(turn(*sim.ring).empty());
  EXPECT_EQ(sim.client.read_text(), "hello");
  std::string head = "ab";
  std::string tail = "cd";
  const iovec pieces[] = {{head.data(), 2}, {tail.data(), 2}};
  sim.ring->send_gathered(sim.file, pieces, send_tag);
  sim.ring->submit();
  EXPECT_EQ(sim.client.read_text(), "abcd");
  EXPECT_TRUE(turn(*sim.ring).empty());
}

TEST(SimRing, SaysHowMuchOfASendWasTaken) {
  FaultProfile faults;
  faults.send_buffer_bytes = 10;
  Connected sim(faults);
  sim.client.stop_reading();
  const std::string text(16, 'x');
  sim.ring->send(sim.file, bytes_of(text), send_tag);
  EXPECT_EQ(turn(*sim.ring).at(0).result, 10);
  sim.ring->send(sim.file, bytes_of(text), send_tag);
  EXPECT_EQ(turn(*sim.ring).at(0).result, -EAGAIN);
  sim.client.set_receive_window(100);
  EXPECT_EQ(sim.client.read().size(), 10U);
}

TEST(SimRing, SendsTheRestWhenTheClientReads) {
  FaultProfile faults;
  faults.send_buffer_bytes = 4;
  Connected sim(faults);
  sim.client.set_receive_window(4);
  const std::string text = "0123456789abcdef";
  sim.ring->send_rest(sim.file, bytes_of(text), rest_tag);
  EXPECT_TRUE(turn(*sim.ring).empty());
  std::string received;
  std::vector<Completion> completions;
  while (completions.empty()) {
    received += sim.client.read_text();
    completions = turn(*sim.ring);
  }
  EXPECT_EQ(completions[0].tag.bits, rest_tag.bits);
  EXPECT_EQ(completions[0].result, 16);
  for (int i = 0; i < 4; ++i) received += sim.client.read_text();
  EXPECT_EQ(received, text);
}

TEST(SimRing, EndsARestWithItsCountWhenTheConnectionFails) {
  FaultProfile faults;
  faults.send_buffer_bytes = 4;
  Connected sim(faults);
  sim.client.stop_reading();
  const std::string text = "0123456789";
  sim.ring->send_rest(sim.file, bytes_of(text), rest_tag);
  turn(*sim.ring);
  sim.client.reset();
  EXPECT_EQ(turn(*sim.ring).at(0).result, 4);
}

TEST(SimRing, RefusesToSendAfterShutDown) {
  Connected sim;
  sim.ring->shut_down(sim.file, Tag::of(Op::shut_down, 1));
  EXPECT_EQ(turn(*sim.ring).at(0).result, 0);
  EXPECT_TRUE(sim.client.saw_fin());
  sim.ring->send(sim.file, bytes_of("x"), send_tag);
  EXPECT_EQ(turn(*sim.ring).at(0).result, -EPIPE);
  sim.ring->receive(sim.file, receive_tag);
  sim.client.write("still read");
  EXPECT_EQ(text_of(turn(*sim.ring).at(0)), "still read");
}

TEST(SimRing, LosesWhatIsUnsentWhenItClosesWithUnreadData) {
  FaultProfile faults;
  faults.send_buffer_bytes = 100;
  Connected sim(faults);
  sim.client.stop_reading();
  sim.client.write("unread");
  sim.ring->send(sim.file, bytes_of("last words"), send_tag);
  sim.ring->close(sim.file, close_tag);
  turn(*sim.ring);
  EXPECT_TRUE(sim.client.saw_reset());
  sim.client.set_receive_window(100);
  EXPECT_EQ(sim.client.read_text(), "");
}

TEST(SimRing, AnswersDataForAClosedSocketByAReset) {
  Connected sim;
  sim.ring->close(sim.file, close_tag);
  turn(*sim.ring);
  EXPECT_TRUE(sim.client.saw_fin());
  sim.client.write("x");
  EXPECT_TRUE(sim.client.saw_reset());
}

}  // namespace
}  // namespace ringroom::sim
