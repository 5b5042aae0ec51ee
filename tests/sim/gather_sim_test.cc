// AgentOptions::gather_ms in simulation, where the clock is the world's: what comes in envelopes,
// or for a tick, is handled together, nothing of it leaves later for that, and nobody else waits.
// And the ticks, which come in the same moments for many rooms.
#include "base/log.h"
#include "ringroom/agent.h"
#include "ringroom/agent_class.h"
#include "sim_fleet.h"
#include "sim_websocket.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::sim {
namespace {

constexpr std::uint64_t millisecond_ns = 1'000'000;
constexpr std::uint64_t gather_ns = 25 * millisecond_ns;
constexpr std::uint64_t flush_ns = 50 * millisecond_ns;
constexpr std::uint64_t tick_ns = 50 * millisecond_ns;
// What turns take in simulation, generously.
constexpr std::uint64_t slack_ns = millisecond_ns;

using Moments = std::map<std::string, std::uint64_t>;

SimWorld* world_of_agents = nullptr;
Moments* handled = nullptr;
std::map<std::string, std::vector<std::uint64_t>>* ticked = nullptr;  // by room

class Gatherer final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false, .gather_ms = 25};

  void on_message(Connection& from, Message message) override {
    (*handled)[std::string(message.text())] = world_of_agents->now_ns();
    broadcast_queued("m", message, {.without = from.ref()});
  }
};

class Ticker final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false, .tick_hz = 20, .gather_ms = 50};

  void on_message(Connection&, Message message) override {
    (*handled)[std::string(message.text())] = world_of_agents->now_ns();
  }
  void on_tick(const Tick& tick) override {
    EXPECT_EQ(tick.missed, 0U);
    (*ticked)[std::string(name())].push_back(world_of_agents->now_ns());
  }
};

// Gathers nothing.
class Clock final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false, .tick_hz = 20};

  void on_tick(const Tick&) override {
    (*ticked)[std::string(name())].push_back(world_of_agents->now_ns());
  }
};

class GatherTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { base::set_log_level(base::LogLevel::error); }

  GatherTest() {
    world_of_agents = &world_;
    handled = &handled_;
    ticked = &ticked_;
    fleet_ = std::make_unique<SimFleet>(world_, config_, 1);
  }
  ~GatherTest() override {
    for (const auto& socket : sockets_) socket->reset();
    fleet_->stop();
    for (int i = 0; i < 100 && !fleet_->is_stopped(); ++i) fleet_->run(millisecond_ns);
    EXPECT_TRUE(fleet_->is_stopped());
    fleet_.reset();
    ticked = nullptr;
    handled = nullptr;
    world_of_agents = nullptr;
  }

  SimWebSocket& connect(const std::string& query) { return connect_to("gatherer/room" + query); }

  SimWebSocket& connect_to(const std::string& room) {
    sockets_.push_back(std::make_unique<SimWebSocket>(world_.connect(fleet_->any_listener()),
                                                      "/agents/" + room, sockets_.size()));
    sockets_.back()->step();
    EXPECT_TRUE(fleet_->run(millisecond_ns));
    sockets_.back()->step();
    EXPECT_EQ(sockets_.back()->status(), 101);
    return *sockets_.back();
  }

  /// 20 messages, 7 ms from each other; everybody looks at what has come twice a millisecond.
  void say_by_the_clock(SimWebSocket& from) {
    const std::uint64_t begin = world_.now_ns();
    for (int i = 0; i < 20; ++i) {
      world_.at(begin + static_cast<std::uint64_t>(i) * 7 * millisecond_ns, [this, &from, i] {
        const std::string text = "number " + std::to_string(100 + i);
        said_[text] = world_.now_ns();
        from.send(text);
        from.step();
      });
    }
    for (std::uint64_t at = begin; at < begin + 300 * millisecond_ns; at += millisecond_ns / 2) {
      world_.at(at, [this] { look(); });
    }
    EXPECT_TRUE(fleet_->run(300 * millisecond_ns));
    look();
    EXPECT_EQ(said_.size(), 20U);
    EXPECT_EQ(handled_.size(), said_.size());
  }

  std::uint64_t waited_longest(const Moments& until) const {
    std::uint64_t longest = 0;
    for (const auto& [text, moment] : until) {
      longest = std::max(longest, moment - said_.at(text));
    }
    return longest;
  }

  std::size_t moments_of_handling() const {
    std::set<std::uint64_t> moments;
    for (const auto& [text, moment] : handled_) moments.insert(moment / millisecond_ns);
    return moments.size();
  }

  bool run(std::uint64_t nanoseconds) { return fleet_->run(nanoseconds); }

  Moments said_, handled_, arrived_;
  std::map<std::string, std::vector<std::uint64_t>> ticked_;

 private:
  static shard::Config make_config() {
    shard::Config config;
    config.classes = {detail::describe_class<Gatherer>("Gatherer"),
                      detail::describe_class<Ticker>("Ticker"),
                      detail::describe_class<Clock>("Clock")};
    config.handshake_timeout = config.close_timeout = config.keep_alive_timeout =
        std::chrono::hours(1);
    config.message_bytes_max = config.outbox_bytes_max = config.body_bytes_max = 1 << 20;
    config.room_connections_max = 1000;
    config.files_max = 64 + 100;
    return config;
  }

  void look() {
    for (const auto& socket : sockets_) {
      socket->step();
      for (const std::string& wire : socket->messages()) {
        for (const auto& [text, moment] : said_) {
          if (wire.find(text) != std::string::npos) {
            arrived_.try_emplace(text, world_.now_ns());
          }
        }
      }
    }
  }

  const shard::Config config_ = make_config();
  SimWorld world_{1};
  std::unique_ptr<SimFleet> fleet_;
  std::vector<std::unique_ptr<SimWebSocket>> sockets_;
};

TEST_F(GatherTest, HandlesTogetherWhatComesByTheClock) {
  connect("?batch=fb");
  say_by_the_clock(connect("?batch=fb"));
  EXPECT_LE(waited_longest(handled_), gather_ns + slack_ns);
  EXPECT_LT(moments_of_handling(), said_.size() / 2);
}

TEST_F(GatherTest, HoldsNothingBackLongerThanItsQueueWould) {
  connect("?batch=fb");
  say_by_the_clock(connect("?batch=fb"));
  EXPECT_EQ(arrived_.size(), said_.size());
  EXPECT_LE(waited_longest(arrived_), flush_ns + slack_ns);
}

TEST_F(GatherTest, WaitsForNobodyWhileSomebodyHasNoEnvelopes) {
  SimWebSocket& plain = connect("");
  say_by_the_clock(connect("?batch=fb"));
  EXPECT_LE(waited_longest(handled_), slack_ns);
  EXPECT_EQ(moments_of_handling(), said_.size());
  plain.reset();
}

TEST_F(GatherTest, WaitsAgainWhenThatOneIsGone) {
  SimWebSocket& plain = connect("");
  SimWebSocket& talker = connect("?batch=fb");
  plain.reset();
  say_by_the_clock(talker);
  EXPECT_LT(moments_of_handling(), said_.size() / 2);
}

TEST_F(GatherTest, HandlesWhatComesForATickBeforeIt) {
  say_by_the_clock(connect_to("ticker/room"));
  EXPECT_LT(moments_of_handling(), said_.size() / 2);
  for (const auto& [text, moment] : said_) {
    for (const std::uint64_t tick : ticked_["room"]) {
      EXPECT_TRUE(tick <= moment || handled_.at(text) <= tick) << text;
    }
  }
}

TEST_F(GatherTest, WaitsForNoTickWhileSomebodyHasNone) {
  connect("");
  say_by_the_clock(connect_to("ticker/room"));
  EXPECT_LE(waited_longest(handled_), slack_ns);
}

TEST_F(GatherTest, TicksManyRoomsInTheSameMoments) {
  constexpr unsigned rooms = 100;
  for (unsigned i = 0; i < rooms; ++i) {
    connect_to("clock/" + std::to_string(i));
    EXPECT_TRUE(run(i * 17'919));  // not a whole millisecond from each other
  }
  ticked_.clear();
  EXPECT_TRUE(run(20 * tick_ns));
  std::set<std::uint64_t> phases;
  for (const auto& [room, moments] : ticked_) {
    EXPECT_NEAR(static_cast<double>(moments.size()), 20, 1) << room;
    for (const std::uint64_t moment : moments) {
      EXPECT_LT((moment + tick_ns - moments.front() + slack_ns) % tick_ns, 2 * slack_ns) << room;
    }
    phases.insert(moments.front() % tick_ns / (slack_ns / 4));
  }
  EXPECT_EQ(ticked_.size(), rooms);
  EXPECT_LE(phases.size(), tick_ns / millisecond_ns);
}

}  // namespace
}  // namespace ringroom::sim
