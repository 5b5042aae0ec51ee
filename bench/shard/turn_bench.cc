// Whole turns of a shard, on a simulated ring: frames arrive, are decoded and handed to agents, and
// what these say is encoded and given to the ring. Only the shard's turns are timed; of the ring,
// which does a kernel's work in memory, that includes some. Good for ratios, not as a cost.
#include "ringroom/agent_class.h"
#include "ringroom/ringroom.h"
#include "sim_fleet.h"
#include "sim_websocket.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace ringroom::sim {
namespace {

class Echo final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};
  void on_message(Connection& from, Message message) override { from.send(message); }
};

class Relay final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};
  void on_message(Connection& from, Message message) override {
    broadcast(message, {.without = from.ref()});
  }
};

shard::Config make_config() {
  shard::Config config;
  config.classes = {detail::describe_class<Echo>("Echo"), detail::describe_class<Relay>("Relay")};
  config.handshake_timeout = config.close_timeout = config.keep_alive_timeout =
      std::chrono::hours(1);
  config.message_bytes_max = config.outbox_bytes_max = config.body_bytes_max = 1 << 20;
  config.room_connections_max = 1000;
  config.files_max = 2000;
  return config;
}

class Scene {
 public:
  Scene(const std::string& path, unsigned rooms, unsigned members) : members_(members) {
    for (unsigned i = 0; i < rooms * members; ++i) {
      clients_.push_back(std::make_unique<SimWebSocket>(world_.connect(fleet_.any_listener()),
                                                        path + std::to_string(i / members), i + 1));
    }
    for (int turn = 0; turn < 10; ++turn) settle();
  }

  ~Scene() {
    for (const auto& client : clients_) client->reset();
    fleet_.stop();
    while (!fleet_.is_stopped()) fleet_.run(1'000'000'000);
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  bool is_open() const {
    for (const auto& client : clients_) {
      if (!client->is_open()) return false;
    }
    return true;
  }

  /// The first of each room says something, so many times at once; returns how long the shard had
  /// to do with it, until everything is delivered.
  double play(const std::string& said, std::int64_t times) {
    for (std::size_t i = 0; i < clients_.size(); i += members_) {
      for (std::int64_t time = 0; time < times; ++time) clients_[i]->send(said);
      clients_[i]->step(SIZE_MAX, false);
    }
    const auto begin = std::chrono::steady_clock::now();
    fleet_.run(turn_ns);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    for (const auto& client : clients_) client->client().read();
    return took.count();
  }

 private:
  static constexpr std::uint64_t turn_ns = 1'000'000;

  void settle() {
    for (const auto& client : clients_) client->step();
    fleet_.run(turn_ns);
  }

  SimWorld world_{1};
  shard::Config config_ = make_config();
  SimFleet fleet_{world_, config_, 1};
  unsigned members_;
  std::vector<std::unique_ptr<SimWebSocket>> clients_;
};

void bench_turn(benchmark::State& state, const char* path) {
  const auto rooms = static_cast<unsigned>(state.range(0));
  const auto members = static_cast<unsigned>(state.range(1));
  Scene scene(path, rooms, members);
  if (!scene.is_open()) return state.SkipWithError("not all simulated clients got in");
  const std::string said(64, 'x');
  const std::int64_t times = state.range(2);
  for (auto _ : state) state.SetIterationTime(scene.play(said, times));
  state.SetItemsProcessed(state.iterations() * times * rooms * (members == 1 ? 1 : members - 1));
}
// Rooms, members, and how many messages one of each room says at once. Items are deliveries.
BENCHMARK_CAPTURE(bench_turn, echo, "/agents/echo/")
    ->Args({100, 1, 1})
    ->Args({100, 1, 16})
    ->UseManualTime();
BENCHMARK_CAPTURE(bench_turn, broadcast, "/agents/relay/")
    ->Args({10, 10, 1})
    ->Args({1, 100, 1})
    ->UseManualTime();

}  // namespace
}  // namespace ringroom::sim
