// ShardThreads: one thread for each shard, named and pinned. Owned by the server and used by the
// main thread; the threads report through a mutex and the bell, at their start and end only.
#pragma once

#include "server/bell.h"
#include "shard/fleet.h"

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ringroom::server {

class ShardThreads {
 public:
  /// Starts them all; each lives on one of `cores`, in turn. `bell` is rung when one gets ready or
  /// ends. Everything given must outlive this.
  ShardThreads(shard::Fleet& fleet, const std::vector<unsigned>& cores, Bell& bell);
  /// Waits for all to end.
  ~ShardThreads();
  ShardThreads(const ShardThreads&) = delete;
  ShardThreads& operator=(const ShardThreads&) = delete;

  bool all_ready() const;
  bool all_ended() const;
  bool is_running(unsigned index) const;
  /// Why the first one that failed couldn't start; "" if none did.
  std::string failure() const;

 private:
  enum class Phase { starting, ready, ended };
  struct State {
    Phase phase = Phase::starting;
    std::string failure;
  };

  void run(unsigned index, unsigned core);
  void report(unsigned index, Phase phase, std::string failure);
  bool all_are(Phase phase) const;

  shard::Fleet& fleet_;
  Bell& bell_;
  mutable std::mutex mutex_;
  std::vector<State> states_;
  std::vector<std::thread> threads_;
};

}  // namespace ringroom::server
