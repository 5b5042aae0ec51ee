// The load client against a server of known habits, in simulated time: what it counts is what was
// done to it, and its latencies are those that the server had.
#include "far_server.h"
#include "load/exchange.h"
#include "load/handshakes.h"
#include "load/headcount.h"
#include "load/quiet_plays.h"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

using sim::FarServer;
using sim::SimWorld;
using Delivery = FarServer::Delivery;

constexpr std::uint64_t ms = 1'000'000;

class LoadSim : public testing::Test {
 protected:
  static std::vector<std::byte> copy(std::span<const std::byte> bytes) {
    return {bytes.begin(), bytes.end()};
  }

  void make_crowd(std::uint32_t clients, std::uint64_t handshake_timeout_ns = 1'000 * ms) {
    reactor::RingFailure failure;
    ring_ = reactor::Ring::make({.files_max = clients, .features_allowed = std::nullopt}, failure);
    CrowdOptions options;
    options.target.host = "far";
    options.target.path = "/";
    options.handshake_timeout_ns = handshake_timeout_ns;
    crowd_ = std::make_unique<Crowd>(*ring_, std::move(options));
    for (std::uint32_t i = 0; i < clients; ++i) crowd_->add(i, 0);
  }

  void exchange(const ExchangeOptions& options) {
    play_ = std::make_unique<Exchange>(*crowd_, stationery_, options, recorder_);
    crowd_->set_play(*play_);
  }

  /// Rooms come and go: so many at the begin, and then as `wanted` says.
  using Wanted = std::function<std::uint32_t(std::uint64_t)>;
  void follow(std::uint32_t members, std::uint32_t first, Wanted wanted) {
    headcount_ = std::make_unique<Headcount>(
        *crowd_, *play_,
        HeadcountOptions{.members = members, .connecting_max = 8, .patience_ns = 500 * ms});
    turn_until([&] {
      headcount_->want(first, crowd_->now_ns());
      return headcount_->is_settled(first);
    });
    wanted_ = std::move(wanted);
  }

  void open_all() {
    for (std::uint32_t slot = 0; slot < crowd_->size(); ++slot) crowd_->open(crowd_->client(slot));
    turn_until([this] { return crowd_->in_progress() == 0; });
  }

  /// Traffic for so long, then until nothing is outstanding or `patience_ns` are over.
  void play(std::uint64_t duration_ns, std::uint64_t patience_ns = 1'000 * ms) {
    const std::uint64_t now = crowd_->now_ns();
    recorder_.times = {now, now, now + duration_ns};
    recorder_.set_phases({now + duration_ns});
    play_->begin();
    for (;;) {
      const std::uint64_t moment = crowd_->now_ns();
      recorder_.move_to(moment);
      if (wanted_) headcount_->want(wanted_(moment - now), moment);
      const std::uint64_t due = play_->on_time(moment);
      const std::uint64_t end = recorder_.times.end_ns;
      if (moment >= end && (play_->is_done() || moment >= end + patience_ns)) return;
      const std::uint64_t next = wanted_ ? std::min(due, moment + ms) : due;
      crowd_->turn(std::min(next, moment < end ? end : end + patience_ns), false);
    }
  }

  template <typename Condition>
  void turn_until(Condition condition) {
    const std::uint64_t until = crowd_->now_ns() + 100'000 * ms;
    while (!condition() && crowd_->now_ns() < until) crowd_->turn(crowd_->now_ns() + ms, false);
    ASSERT_TRUE(condition());
  }

  Histogram measured() { return recorder_.measured(); }
  const Tally& tally() { return crowd_->tally(); }
  std::uint64_t faults(Fault fault) { return tally().faults[static_cast<std::size_t>(fault)]; }

  SimWorld world_{1};
  FarServer server_{world_};
  Stationery stationery_{1, false, 4096};
  Recorder recorder_;
  std::unique_ptr<reactor::Ring> ring_;
  std::unique_ptr<Crowd> crowd_;
  std::unique_ptr<Play> play_;
  std::unique_ptr<Headcount> headcount_;
  Wanted wanted_;  // rooms, by the time since the begin
};

TEST_F(LoadSim, AnHonestServerLosesNothing) {
  make_crowd(10);
  exchange({.in_flight = 4});
  open_all();
  play(20 * ms);
  EXPECT_GT(tally().sent, 100U);
  EXPECT_EQ(tally().arrived, tally().sent);
  EXPECT_EQ(tally().received, tally().sent);
  EXPECT_EQ(tally().lost() + tally().duplicated + tally().reordered + tally().corrupted +
                tally().foreign + tally().faults_total(),
            0U);
  EXPECT_EQ(server_.messages(), tally().sent);
}

TEST_F(LoadSim, ABroadcastIsExpectedFromEveryOtherMember) {
  server_.relay();
  make_crowd(5);
  exchange({.members = 5, .senders = 2, .includes_sender = false});
  open_all();
  play(10 * ms);
  EXPECT_EQ(tally().expected, tally().sent * 4);
  EXPECT_EQ(tally().arrived, tally().expected);
  EXPECT_EQ(tally().foreign, 0U);
}

TEST_F(LoadSim, CountsLostMessages) {
  server_.set_habit([](std::span<const std::byte> bytes, std::uint64_t number) {
    std::vector<Delivery> deliveries;
    if (number % 10 != 3) deliveries.push_back({0, copy(bytes)});
    return deliveries;
  });
  make_crowd(1);
  exchange({.rate = 1000});
  open_all();
  play(100 * ms);
  EXPECT_EQ(tally().sent, 100U);
  EXPECT_EQ(tally().lost(), 10U);
  EXPECT_EQ(tally().duplicated + tally().reordered + tally().corrupted, 0U);
}

TEST_F(LoadSim, AClosedLoopGoesOnBehindALostMessage) {
  server_.set_habit([](std::span<const std::byte> bytes, std::uint64_t number) {
    std::vector<Delivery> deliveries;
    if (number != 5) deliveries.push_back({ms, copy(bytes)});
    return deliveries;
  });
  make_crowd(1);
  exchange({.reply_timeout_ns = 50 * ms});
  open_all();
  play(1'000 * ms);
  EXPECT_EQ(faults(Fault::unanswered), 1U);
  EXPECT_EQ(tally().lost(), 1U);
  EXPECT_GT(tally().arrived, 500U);
}

TEST_F(LoadSim, CountsWhatComesTwice) {
  server_.set_habit([](std::span<const std::byte> bytes, std::uint64_t number) {
    std::vector<Delivery> deliveries = {{0, copy(bytes)}};
    if (number % 4 == 0) deliveries.push_back({0, copy(bytes)});
    return deliveries;
  });
  make_crowd(1);
  exchange({.rate = 1000});
  open_all();
  play(100 * ms);
  EXPECT_EQ(tally().duplicated, 25U);
  EXPECT_EQ(tally().lost() + tally().reordered, 0U);
  EXPECT_EQ(measured().count(), 100U);
}

TEST_F(LoadSim, CountsWhatComesBehindALaterOne) {
  server_.set_habit([](std::span<const std::byte> bytes, std::uint64_t number) {
    return std::vector<Delivery>{{number % 10 == 0 ? 1'500'000U : 0U, copy(bytes)}};
  });
  make_crowd(1);
  exchange({.rate = 1000});
  open_all();
  play(100 * ms);
  EXPECT_EQ(tally().reordered, 10U);
  EXPECT_EQ(tally().lost() + tally().duplicated, 0U);
}

TEST_F(LoadSim, CountsChangedBytes) {
  server_.set_habit([](std::span<const std::byte> bytes, std::uint64_t number) {
    std::vector<std::byte> changed = copy(bytes);
    if (number % 20 == 0) changed[changed.size() - 1 - number % 60] ^= std::byte{4};
    return std::vector<Delivery>{{0, std::move(changed)}};
  });
  make_crowd(1);
  exchange({.rate = 1000});
  open_all();
  play(100 * ms);
  EXPECT_EQ(tally().corrupted, 5U);
  EXPECT_EQ(tally().lost(), 5U);  // what came was another message
}

TEST_F(LoadSim, CountsConnectionsThatTheServerCloses) {
  server_.close_at(10);
  make_crowd(3);
  exchange({});
  open_all();
  play(100 * ms);
  EXPECT_EQ(faults(Fault::closed), 3U);
  EXPECT_EQ(crowd_->examples()[static_cast<std::size_t>(Fault::closed)],
            "close code 1001: going home");
  EXPECT_EQ(crowd_->opened(), 0U);
}

TEST_F(LoadSim, CountsConnectionsThatAreRefused) {
  server_.refuse_connections();
  make_crowd(3);
  exchange({});
  open_all();
  EXPECT_EQ(faults(Fault::connect), 3U);
  EXPECT_EQ(crowd_->examples()[static_cast<std::size_t>(Fault::connect)], "Connection refused");
}

TEST_F(LoadSim, CountsHandshakesThatAreRefused) {
  server_.set_answer("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
  make_crowd(3);
  exchange({});
  open_all();
  EXPECT_EQ(faults(Fault::handshake), 3U);
  EXPECT_EQ(crowd_->examples()[static_cast<std::size_t>(Fault::handshake)],
            "503 Service Unavailable");
}

TEST_F(LoadSim, CountsHandshakesThatAreNotAnswered) {
  server_.set_answer("");
  make_crowd(3, 300 * ms);
  exchange({});
  open_all();
  EXPECT_EQ(faults(Fault::handshake_timeout), 3U);
  EXPECT_EQ(crowd_->opened(), 0U);
}

TEST_F(LoadSim, AnAnswerInPiecesIsAnAnswer) {
  sim::FaultProfile slow;
  slow.receive_buffer_bytes = 40;
  world_.set_faults(slow);
  make_crowd(2);
  exchange({});
  open_all();
  EXPECT_EQ(crowd_->opened(), 2U);
}

TEST_F(LoadSim, KnowsTheServersLatency) {
  server_.set_habit([](std::span<const std::byte> bytes, std::uint64_t number) {
    return std::vector<Delivery>{{(number % 2 == 0 ? 2 : 20) * ms, copy(bytes)}};
  });
  make_crowd(10);
  exchange({.rate = 1000});
  open_all();
  play(1'000 * ms);
  EXPECT_EQ(measured().count(), 1'000U);
  EXPECT_NEAR(static_cast<double>(measured().quantile(0.25)), 2 * ms, 0.2 * ms);
  EXPECT_NEAR(static_cast<double>(measured().quantile(0.75)), 20 * ms, 0.2 * ms);
}

// A server that answers at once, but stands still for 500 ms of 1,000: half of what should have
// left meanwhile waited longer than 250 ms of the stall. A client that waits for its answer before
// it sends the next would have seen one slow message, and called the median quick.
TEST_F(LoadSim, AnOpenLoopChargesAStallToTheServer) {
  make_crowd(1);
  exchange({.rate = 1000});
  open_all();
  const std::uint64_t begin = crowd_->now_ns();
  server_.set_habit([this, begin](std::span<const std::byte> bytes, std::uint64_t) {
    const std::uint64_t now = world_.now_ns() - begin;
    const std::uint64_t stall_end = 600 * ms;
    const bool stalls = now >= 100 * ms && now < stall_end;
    return std::vector<Delivery>{{stalls ? stall_end - now : 0, copy(bytes)}};
  });
  play(1'000 * ms);
  const Histogram& latency = measured();
  EXPECT_EQ(latency.count(), 1'000U);
  EXPECT_LT(latency.quantile(0.45), 1 * ms);
  EXPECT_NEAR(static_cast<double>(latency.quantile(0.75)), 250 * ms, 5 * ms);
  EXPECT_NEAR(static_cast<double>(latency.quantile(0.99)), 490 * ms, 5 * ms);
  EXPECT_NEAR(static_cast<double>(latency.max()), 500 * ms, 2 * ms);
}

// A client that comes late itself: what should have left in its first 100 ms leaves at their end.
TEST_F(LoadSim, AnOpenLoopCountsFromWhenAMessageShouldHaveLeft) {
  make_crowd(1);
  exchange({.rate = 1000});
  open_all();
  const std::uint64_t begin = crowd_->now_ns();
  const std::uint64_t end = begin + 100 * ms;
  turn_until([this, end] { return crowd_->now_ns() >= end; });
  recorder_.times = {begin, begin, end};
  recorder_.set_phases({end});
  play_->begin();
  turn_until([this] {
    play_->on_time(crowd_->now_ns());
    return tally().arrived == 100;
  });
  EXPECT_NEAR(static_cast<double>(measured().quantile(0.5)), 50 * ms, 3 * ms);
  EXPECT_GE(recorder_.lag_max_ns, 100 * ms);
}

// The same when it is the client that can't send: the server doesn't read.
TEST_F(LoadSim, AnOpenLoopChargesItsOwnDelayToTheRun) {
  sim::FaultProfile narrow;
  narrow.send_buffer_bytes = 500;
  narrow.receive_buffer_bytes = 500;
  narrow.client_window_bytes = 500;
  world_.set_faults(narrow);
  make_crowd(1);
  exchange({.rate = 1000, .sizes = {1000, 1000}});
  open_all();
  play(300 * ms);
  EXPECT_EQ(tally().arrived, 300U);
  EXPECT_EQ(tally().reordered + tally().corrupted, 0U);
}

TEST_F(LoadSim, MessagesOfOthersAreNotOurs) {
  server_.set_habit([](std::span<const std::byte> bytes, std::uint64_t) {
    return std::vector<Delivery>{{0, copy(bytes)}, {0, std::vector<std::byte>(10)}};
  });
  make_crowd(1);
  exchange({.rate = 1000});
  open_all();
  play(50 * ms);
  EXPECT_EQ(tally().foreign, 50U);
  EXPECT_EQ(tally().lost(), 0U);
}

// As TickRoom sends it.
std::vector<std::byte> entry(std::span<const std::byte> bytes) {
  std::vector<std::byte> made(6);
  made[4] = static_cast<std::byte>(bytes.size());
  made.insert(made.end(), bytes.begin(), bytes.end());
  return made;
}

TEST_F(LoadSim, AnInputsLatencyEndsWithTheFirstStateThatShowsIt) {
  server_.set_habit([](std::span<const std::byte> bytes, std::uint64_t) {
    return std::vector<Delivery>{{3 * ms, entry(bytes)}, {53 * ms, entry(bytes)}};
  });
  make_crowd(2);
  exchange({.rate = 20, .reads_ticks = true});
  open_all();
  play(1'000 * ms);
  EXPECT_EQ(tally().sent, 20U);
  EXPECT_EQ(measured().count(), 20U);
  EXPECT_NEAR(static_cast<double>(measured().max()), 3 * ms, 0.2 * ms);
  EXPECT_EQ(tally().reordered + tally().corrupted + tally().duplicated + tally().lost(), 0U);
}

TEST_F(LoadSim, AStateThatIsNoStateIsCorrupted) {
  server_.set_habit([](std::span<const std::byte> bytes, std::uint64_t number) {
    std::vector<std::byte> state = entry(bytes);
    if (number % 3 == 0) state.pop_back();
    if (number % 3 == 1) state[20] ^= std::byte{1};
    return std::vector<Delivery>{{0, std::move(state)}};
  });
  make_crowd(1);
  exchange({.rate = 300, .reads_ticks = true});
  open_all();
  play(100 * ms);
  EXPECT_EQ(tally().sent, 30U);
  EXPECT_EQ(tally().corrupted, 20U);
  EXPECT_EQ(measured().count(), 10U);
}

TEST_F(LoadSim, ConnectOpensAndClosesOverAndOver) {
  make_crowd(4);
  play_ = std::make_unique<Handshakes>(*crowd_, recorder_, false);
  crowd_->set_play(*play_);
  play(20 * ms);
  EXPECT_GT(tally().cycles, 40U);
  EXPECT_EQ(tally().cycles, tally().handshakes);
  EXPECT_EQ(tally().faults_total(), 0U);
  EXPECT_EQ(crowd_->busy(), 0U);
}

TEST_F(LoadSim, ConnectAsksARefusingServerNowAndThen) {
  server_.refuse_connections();
  make_crowd(4);
  play_ = std::make_unique<Handshakes>(*crowd_, recorder_, true);
  crowd_->set_play(*play_);
  play(1'000 * ms);
  EXPECT_GE(faults(Fault::connect), 4U);
  EXPECT_LE(faults(Fault::connect), 60U);
}

TEST_F(LoadSim, IdleProvesEachConnectionAlive) {
  make_crowd(20);
  play_ = std::make_unique<Idle>(*crowd_, recorder_);
  crowd_->set_play(*play_);
  open_all();
  play(1'000 * ms);
  EXPECT_EQ(tally().alive, 20U);
  EXPECT_EQ(server_.pings(), 20U);
}

TEST_F(LoadSim, StormBringsEverybodyBack) {
  make_crowd(20);
  play_ = std::make_unique<Storm>(*crowd_, recorder_, 300 * ms);
  crowd_->set_play(*play_);
  open_all();
  play(1'000 * ms);
  EXPECT_EQ(tally().cycles, 4U);
  EXPECT_EQ(tally().handshakes, 20U + 4 * 20);
  EXPECT_EQ(tally().lost(), 0U);
  EXPECT_EQ(crowd_->opened(), 20U);
}

std::vector<Delivery> late_by(std::uint64_t delay_ns, std::span<const std::byte> bytes) {
  return {{delay_ns, {bytes.begin(), bytes.end()}}};
}

// Up from 2 to 20, down to 5. Answers take 30 ms: whoever is to go is still owed one.
std::uint32_t up_and_down(std::uint64_t after_ns) {
  if (after_ns < 200 * ms) return static_cast<std::uint32_t>(2 + 18 * after_ns / (200 * ms));
  return after_ns < 400 * ms ? 20 : 5;
}

TEST_F(LoadSim, NothingIsLostWhereConnectionsComeAndGoInAClosedLoop) {
  server_.set_habit([](auto bytes, std::uint64_t) { return late_by(30 * ms, bytes); });
  make_crowd(20);
  exchange({.in_flight = 2, .closes_rooms = true});
  follow(1, 2, up_and_down);
  EXPECT_EQ(crowd_->opened(), 2U);
  play(600 * ms);
  EXPECT_EQ(crowd_->opened(), 5U);
  EXPECT_EQ(tally().handshakes, 20U);
  EXPECT_EQ(tally().faults_total() + tally().lost(), 0U);
  // About 11, 20 and 5 at a time, each with two messages every 30 ms.
  EXPECT_NEAR(static_cast<double>(tally().sent), 2 * 7 * (11 + 20 + 5), 50);
}

TEST_F(LoadSim, ThoseWhoAreThereShareTheRateOfAnOpenLoop) {
  server_.set_habit([](auto bytes, std::uint64_t) { return late_by(30 * ms, bytes); });
  make_crowd(20);
  exchange({.rate = 1'000, .closes_rooms = true});
  follow(1, 2, up_and_down);
  play(600 * ms);
  EXPECT_EQ(tally().sent, 600U);
  EXPECT_EQ(crowd_->opened(), 5U);
  EXPECT_EQ(tally().faults_total() + tally().lost(), 0U);
}

// A room takes part when all its members are there: else nobody knows who must get a message.
TEST_F(LoadSim, ARoomTakesPartAsAWhole) {
  server_.relay();
  make_crowd(5);
  exchange({.members = 5, .includes_sender = false, .rate = 1'000, .closes_rooms = true});
  follow(5, 0, [](std::uint64_t after_ns) { return after_ns < 100 * ms ? 0U : 1U; });
  EXPECT_EQ(crowd_->opened(), 0U);
  play(200 * ms);
  EXPECT_EQ(crowd_->opened(), 5U);
  EXPECT_NEAR(static_cast<double>(tally().sent), 100, 5);
  EXPECT_EQ(tally().expected, tally().sent * 4);
  EXPECT_EQ(tally().arrived, tally().expected);
}

// A server that owes an answer is waited for, but not for ever.
TEST_F(LoadSim, AConnectionThatIsOwedAnAnswerIsClosedInTheEnd) {
  server_.set_habit([](auto, std::uint64_t) { return std::vector<Delivery>(); });
  make_crowd(2);
  exchange({.closes_rooms = true});
  std::uint32_t open_meanwhile = 0;
  follow(1, 2, [this, &open_meanwhile](std::uint64_t after_ns) {
    if (after_ns < 590 * ms) open_meanwhile = crowd_->opened();
    return after_ns < 100 * ms ? 2U : 1U;
  });
  play(700 * ms, 0);
  EXPECT_EQ(open_meanwhile, 2U);
  EXPECT_EQ(crowd_->opened(), 1U);
}

TEST_F(LoadSim, ARateGoesAsItsStretchesSay) {
  make_crowd(4);
  exchange({.rate = 1'000,
            .stretches = {{100 * ms, 0, 0}, {200 * ms, 0, 1'000}, {100 * ms, 3'000, 3'000}}});
  open_all();
  const std::uint64_t begin = crowd_->now_ns();
  std::vector<std::uint64_t> sent(4);
  server_.set_habit([&](auto bytes, std::uint64_t) {
    ++sent[std::min<std::uint64_t>((world_.now_ns() - begin) / (100 * ms), 3)];
    return late_by(0, bytes);
  });
  play(400 * ms);
  EXPECT_EQ(tally().sent, 100U + 300U);
  EXPECT_EQ(sent[0], 0U);
  EXPECT_NEAR(static_cast<double>(sent[1]), 25, 2);
  EXPECT_NEAR(static_cast<double>(sent[2]), 75, 2);
  EXPECT_NEAR(static_cast<double>(sent[3]), 300, 2);
}

}  // namespace
}  // namespace ringroom::load
