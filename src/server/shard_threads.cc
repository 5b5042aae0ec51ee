#include "server/shard_threads.h"

#include "server/crash.h"
#include "server/machine.h"
#include "server/stop_signals.h"
#include "shard/shard.h"

#include <algorithm>
#include <utility>

namespace ringroom::server {

ShardThreads::ShardThreads(shard::Fleet& fleet, const std::vector<unsigned>& cores, Bell& bell)
    : fleet_(fleet), bell_(bell), states_(fleet.shards()) {
  // The signals are the main thread's; a shard's wait is never interrupted by them.
  const StopSignalsBlocked blocked;
  for (unsigned i = 0; i < fleet.shards(); ++i) {
    threads_.emplace_back([this, i, core = cores[i % cores.size()]] { run(i, core); });
  }
}

ShardThreads::~ShardThreads() {
  for (std::thread& thread : threads_) thread.join();
}

bool ShardThreads::all_ready() const {
  return all_are(Phase::ready);
}

bool ShardThreads::all_ended() const {
  return all_are(Phase::ended);
}

bool ShardThreads::is_running(unsigned index) const {
  const std::lock_guard lock(mutex_);
  return states_[index].phase != Phase::ended;
}

std::string ShardThreads::failure() const {
  const std::lock_guard lock(mutex_);
  for (const State& state : states_) {
    if (!state.failure.empty()) return state.failure;
  }
  return {};
}

void ShardThreads::run(unsigned index, unsigned core) {
  name_thread("ringroom-" + std::to_string(index));
  pin_thread(core);
  run_promptly();
  const CrashStack stack;
  std::string failure;
  if (const std::unique_ptr<shard::Shard> shard = fleet_.make_shard(index, failure)) {
    report(index, Phase::ready, {});
    shard->run();
  }
  report(index, Phase::ended, std::move(failure));
}

void ShardThreads::report(unsigned index, Phase phase, std::string failure) {
  {
    const std::lock_guard lock(mutex_);
    states_[index] = {phase, std::move(failure)};
  }
  bell_.ring();
}

bool ShardThreads::all_are(Phase phase) const {
  const std::lock_guard lock(mutex_);
  return std::all_of(states_.begin(), states_.end(),
                     [phase](const State& state) { return state.phase == phase; });
}

}  // namespace ringroom::server
