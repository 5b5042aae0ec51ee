// The simulated kernel as a net: everything arrives under every fault, the same seed does the same,
// and who breaks a rule of the ring is stopped.
#include "base/poison.h"
#include "ring_sim_fixture.h"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::sim {
namespace {

/// Everything the client and the server send arrives once and in order, whatever goes wrong.
std::string echo_under(std::uint64_t seed) {
  FaultProfile faults = FaultProfile::swarm(seed);
  faults.connection_reset = 0;
  SimWorld world(seed, faults);
  const int listener = world.listen();
  auto ring = make_ring();
  SimClient client = world.connect(listener);
  ring->accept(listener, accept_tag);
  std::string outbox;
  std::string sending;
  std::string received;
  bool accepted = false;
  bool rest = false;
  std::size_t written = 0;
  for (int i = 0; i < 20'000 && received.size() < 3000; ++i) {
    if (written < 3000 && i % 3 == 0) {
      client.write(std::to_string(1000 + written / 4));
      written += 4;
    }
    const bool sent = !sending.empty() && !rest;
    std::vector<Completion> completions = wait_turn(*ring);
    std::size_t taken = sending.size();
    bool was_rest = false;
    for (const Completion& completion : completions) {
      if (completion.tag.op() == Op::accept) {
        accepted = accepted || completion.result >= 0;
        ring->receive(0, receive_tag);
      } else if (completion.tag.op() == Op::receive) {
        if (completion.has_buffer) {
          outbox += text_of(completion);
          ring->release(completion.buffer);
        }
        if (!completion.more && completion.result != -ENOBUFS) ring->receive(0, receive_tag);
      } else if (completion.tag.op() == Op::send) {
        taken = completion.result < 0 ? 0 : static_cast<std::size_t>(completion.result);
      } else if (completion.tag.op() == Op::send_rest) {
        was_rest = true;
      }
    }
    if (ring->take_refilled()) ring->receive(0, receive_tag);
    if (was_rest) {
      rest = false;
      sending.clear();
    } else if (sent) {
      sending.erase(0, taken);
      if (!sending.empty()) {
        ring->send_rest(0, bytes_of(sending), rest_tag);
        rest = true;
      }
    }
    if (sending.empty() && !outbox.empty() && accepted) {
      sending = std::exchange(outbox, {});
      ring->send(0, bytes_of(sending), send_tag);
    }
    received += client.read_text();
  }
  return received;
}

TEST(SimRing, EchoesUnderEveryFault) {
  std::string expected;
  for (int number = 1000; number < 1750; ++number) expected += std::to_string(number);
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    ASSERT_EQ(echo_under(seed), expected) << FaultProfile::swarm(seed).describe();
  }
}

TEST(SimRing, RepeatsItselfWithTheSameSeed) {
  EXPECT_EQ(echo_under(7), echo_under(7));
}

using SimRingDeathTest = testing::Test;

TEST(SimRingDeathTest, StopsAtTwoSendsInFlight) {
  Connected sim;
  sim.ring->send(sim.file, bytes_of("x"), send_tag);
  EXPECT_DEATH(sim.ring->send(sim.file, bytes_of("x"), send_tag), "two sends");
  sim.ring->submit();
  EXPECT_DEATH(sim.ring->send(sim.file, bytes_of("x"), send_tag), "two sends");
}

TEST(SimRingDeathTest, StopsWhenBytesOfASendChange) {
  Connected sim;
  std::string text = "abc";
  sim.ring->send(sim.file, bytes_of(text), send_tag);
  text[0] = 'x';
  EXPECT_DEATH(sim.ring->submit(), "changed before its submit");
}

TEST(SimRingDeathTest, StopsWhenBytesOfARestChange) {
  FaultProfile faults;
  faults.send_buffer_bytes = 2;
  Connected sim(faults);
  sim.client.stop_reading();
  std::string text = "abcdef";
  sim.ring->send_rest(sim.file, bytes_of(text), rest_tag);
  turn(*sim.ring);
  text[0] = 'x';
  sim.client.set_receive_window(10);
  EXPECT_DEATH(turn(*sim.ring), "changed before its completion");
}

TEST(SimRingDeathTest, StopsAtAFileThatIsNotOpen) {
  Connected sim;
  EXPECT_DEATH(sim.ring->receive(5, receive_tag), "isn't open");
  sim.ring->close(sim.file, close_tag);
  EXPECT_DEATH(sim.ring->poll(sim.file, poll_tag), "after its close");
}

TEST(SimRingDeathTest, StopsAtAReleaseTooMuch) {
  Connected sim;
  EXPECT_DEATH(sim.ring->release(0), "nobody uses");
}

#ifdef RINGROOM_ASAN
TEST(SimRingDeathTest, FindsAReadAfterTheRelease) {
  Connected sim;
  sim.ring->receive(sim.file, receive_tag);
  sim.client.write("abcdefgh");
  const std::vector<Completion> completions = turn(*sim.ring);
  sim.ring->release(completions.at(0).buffer);
  EXPECT_DEATH(EXPECT_EQ(text_of(completions[0]), ""), "use-after-poison");
}
#endif

}  // namespace
}  // namespace ringroom::sim
