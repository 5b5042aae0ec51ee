// What the load client does for each message, beside the codec and the ring: writing and reading a
// stamp, its place in a sequence, its latency in a histogram.
#include "load/histogram.h"
#include "load/sequence.h"
#include "load/stamp.h"

#include <vector>

#include <benchmark/benchmark.h>

namespace ringroom::load {
namespace {

Stamp stamp_of(std::size_t bytes) {
  return {.sender = 7,
          .number = 8,
          .slot = 0,
          .bytes = static_cast<std::uint32_t>(bytes),
          .intended_ns = 123'456'789};
}

void bench_write_stamp(benchmark::State& state) {
  const Stationery stationery(1, state.range(1) != 0, 1 << 20);
  std::vector<std::byte> message(static_cast<std::size_t>(state.range(0)));
  Stamp stamp = stamp_of(message.size());
  for (auto _ : state) {
    ++stamp.number;
    stationery.write(message.data(), stamp);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(bench_write_stamp)->Args({64, 0})->Args({64, 1})->Args({16384, 0});

void bench_read_stamp(benchmark::State& state) {
  const Stationery stationery(1, state.range(1) != 0, 1 << 20);
  std::vector<std::byte> message(static_cast<std::size_t>(state.range(0)));
  stationery.write(message.data(), stamp_of(message.size()));
  for (auto _ : state) {
    Stamp stamp;
    benchmark::DoNotOptimize(stationery.read(message, stamp));
  }
}
BENCHMARK(bench_read_stamp)->Args({64, 0})->Args({64, 1})->Args({16384, 0});

void bench_sequence(benchmark::State& state) {
  Sequence sequence;
  std::uint32_t number = 0;
  for (auto _ : state) benchmark::DoNotOptimize(sequence.take(number++));
}
BENCHMARK(bench_sequence);

// Latencies around 100 us to 1 ms, as a run has them.
void bench_histogram_add(benchmark::State& state) {
  Histogram histogram;
  std::uint64_t mixed = 1;
  for (auto _ : state) {
    mixed = mixed * 6364136223846793005U + 1442695040888963407U;
    histogram.add(100'000 + (mixed >> 44U));
  }
  benchmark::DoNotOptimize(histogram.quantile(0.99));
}
BENCHMARK(bench_histogram_add);

void bench_histogram_quantile(benchmark::State& state) {
  Histogram histogram;
  for (std::uint64_t value = 100'000; value < 1'000'000; value += 10) histogram.add(value);
  for (auto _ : state) benchmark::DoNotOptimize(histogram.quantile(0.99));
}
BENCHMARK(bench_histogram_quantile);

}  // namespace
}  // namespace ringroom::load
