// What it costs to say something to a connection, before the kernel is asked to send it: the frame
// in the turn's arena and its place in the outbox, which is then forgotten. Without sockets: the
// ring is the simulated one and never submits.
#include "base/timer_heap.h"
#include "connection/hub.h"
#include "reactor/ring.h"
#include "sim_world.h"

#include <vector>

#include <benchmark/benchmark.h>

namespace ringroom::connection {
namespace {

constexpr std::uint32_t connections = 64;

// So many frames to each of 64 connections in a turn.
void bench_outbox_send(benchmark::State& state) {
  const sim::SimWorld world(1);
  reactor::RingFailure failure;
  const auto ring =
      reactor::Ring::make({.files_max = 1024, .features_allowed = std::nullopt}, failure);
  if (ring == nullptr) return state.SkipWithError(failure.message.c_str());
  std::vector<reactor::Completion> completions;
  base::TimerHeap timers;
  Hub hub(*ring, completions, timers, {.outbox_bytes_max = 1 << 20});
  for (std::uint32_t slot = 0; slot < connections; ++slot) hub.open(slot, Stage::open);
  const std::vector<std::byte> payload(static_cast<std::size_t>(state.range(0)));
  const std::int64_t frames = state.range(1);
  for (auto _ : state) {
    for (std::uint32_t slot = 0; slot < connections; ++slot) {
      for (std::int64_t i = 0; i < frames; ++i) {
        benchmark::DoNotOptimize(hub.send(slot, codec::ws::Opcode::binary, payload));
      }
      hub.discard_unsent(hub.slab()[slot]);
    }
    hub.flush();  // nothing is left to send
    hub.settle(0);
  }
  state.SetItemsProcessed(state.iterations() * connections * frames);
}
BENCHMARK(bench_outbox_send)->Args({64, 1})->Args({64, 16})->Args({1024, 1});

}  // namespace
}  // namespace ringroom::connection
