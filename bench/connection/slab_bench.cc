// What a connection's record costs, beside its socket: taken and given back, found by its handle,
// and a walk over all of them, as the pings of quiet clients take it.
#include "connection/slab.h"

#include <benchmark/benchmark.h>

namespace ringroom::connection {
namespace {

constexpr std::uint32_t records_max = 1 << 17;

void bench_slab_open_free(benchmark::State& state) {
  Slab slab(records_max);
  slab.open(0, Stage::open);  // a server with one other connection
  for (auto _ : state) {
    benchmark::DoNotOptimize(slab.open(1, Stage::http));
    slab.free(1);
  }
}
BENCHMARK(bench_slab_open_free);

// Connections in no order, so that records come from memory rather than from the cache.
void bench_slab_find(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  Slab slab(records_max);
  for (std::uint32_t i = 0; i < count; ++i) slab.open(i, Stage::open);
  std::uint32_t index = 0;
  for (auto _ : state) {
    index = (index * 1664525U + 1013904223U) % count;
    benchmark::DoNotOptimize(slab.find(index, slab[index].generation));
  }
}
BENCHMARK(bench_slab_find)->Arg(1'000)->Arg(100'000);

void bench_slab_walk(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  Slab slab(records_max);
  for (std::uint32_t i = 0; i < count; ++i) slab.open(i, Stage::open);
  for (auto _ : state) {
    std::uint32_t open = 0;
    for (std::uint32_t i = 0; i < slab.end(); ++i) open += slab[i].stage == Stage::open ? 1U : 0U;
    benchmark::DoNotOptimize(open);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bench_slab_walk)->Arg(100'000);

}  // namespace
}  // namespace ringroom::connection
