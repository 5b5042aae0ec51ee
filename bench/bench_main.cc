// The main function of every benchmark: it refuses debug builds.
#include <cstdio>

#include <benchmark/benchmark.h>

int main(int argc, char** argv) {
#ifndef NDEBUG
  std::fprintf(stderr, "%s: this is a debug build; its numbers would mean nothing\n", argv[0]);
  return 1;
#endif
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
