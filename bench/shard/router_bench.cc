// Which room a request is for: a plain URL, one with percent-encoding and a query, one for nobody,
// and a name that is looked for among many classes.
#include "shard/router.h"

#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace ringroom::shard {
namespace {

void bench_route(benchmark::State& state, const char* url) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made = {"ChatRoom", "CounterAgent"};
    for (int i = 0; i < 30; ++i) made.push_back("Game" + std::to_string(i));
    return made;
  }();
  Config config;
  for (const std::string& name : names) config.classes.emplace_back().name = name;
  agent_runtime::Watch watch;
  Router router(config, watch);
  const Request request("GET", url);
  for (auto _ : state) benchmark::DoNotOptimize(router.route(request));
}
BENCHMARK_CAPTURE(bench_route, plain, "/agents/chat-room/lobby");
BENCHMARK_CAPTURE(bench_route, escaped, "/agents/counter-agent/caf%C3%A9/more?name=Ada&_pk=1");
BENCHMARK_CAPTURE(bench_route, nowhere, "/favicon.ico");

}  // namespace
}  // namespace ringroom::shard
