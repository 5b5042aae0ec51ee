// What the Agents protocol costs in the codec: the look at a message that is none of its frames,
// the reading of those that are, the writing of answers.
#include "codec/agents/client_frame.h"
#include "codec/agents/server_frame.h"

#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

namespace ringroom::codec::agents {
namespace {

void bench_look(benchmark::State& state) {
  std::string text = R"({"type":"message","user":"Ada","text":")";
  text.append(static_cast<std::size_t>(state.range(0)) - text.size() - 2, 'x');
  text += "\"}";
  for (auto _ : state) benchmark::DoNotOptimize(may_be_client_frame(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bench_look)->Arg(64)->Arg(1024)->Arg(65536);

constexpr std::string_view call =
    R"({"args":[2,3],"id":"5c6f8a4e-7a3b-4f8e-9a43-0a1d8e6f2b11","method":"add","type":"rpc"})";

void bench_read_call(benchmark::State& state) {
  ClientFrameReader reader;
  for (auto _ : state) benchmark::DoNotOptimize(reader.read(call));
}
BENCHMARK(bench_read_call);

void bench_read_state(benchmark::State& state) {
  ClientFrameReader reader;
  json players = json::array();
  for (int i = 0; i < 10; ++i) players.push_back({{"name", "player"}, {"score", i}});
  const std::string text = R"({"state":)" + players.dump() + R"(,"type":"cf_agent_state"})";
  for (auto _ : state) benchmark::DoNotOptimize(reader.read(text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(bench_read_state);

void bench_write_result(benchmark::State& state) {
  const json result = 5;
  for (auto _ : state) {
    benchmark::DoNotOptimize(result_frame("5c6f8a4e-7a3b-4f8e-9a43-0a1d8e6f2b11", result, true));
  }
}
BENCHMARK(bench_write_result);

}  // namespace
}  // namespace ringroom::codec::agents
