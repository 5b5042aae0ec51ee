// SimFleet: whole shards in a simulated world, their turns taken in any order by one thread. Made
// by a test in a SimWorld, and gone before it.
#pragma once

#include "shard/config.h"
#include "shard/fleet.h"
#include "shard/shard.h"
#include "sim_world.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ringroom::sim {

class SimFleet {
 public:
  SimFleet(SimWorld& world, const shard::Config& config, unsigned shards);
  ~SimFleet();
  SimFleet(const SimFleet&) = delete;
  SimFleet& operator=(const SimFleet&) = delete;

  unsigned shards() const { return fleet_.shards(); }
  shard::Shard& shard(unsigned index) { return *shards_[index]; }
  /// Any shard's listener.
  int any_listener();
  /// Turns of all shards, in any order, until nothing is left to do for that long. False if they
  /// never came to rest.
  bool run(std::uint64_t nanoseconds);
  /// What the storage's helper has to do is done, or waits: it has no thread here.
  void help();
  /// Asks all shards to stop; run() ends them.
  void stop() { fleet_.stop(); }
  bool is_stopped() const;

  std::uint64_t connections_open() const;
  /// Shard, slot, stage and flags of every connection, for the report of a failure.
  std::string describe_connections() const;
  std::uint64_t rooms() const;
  std::uint64_t agents_awake() const;
  std::uint64_t handovers() const;
  /// Nothing queued or in flight on any shard.
  bool at_rest() const;

 private:
  void turn(unsigned index);
  std::uint64_t sum(const shard::Counter shard::Stats::*counter) const;

  SimWorld& world_;
  std::vector<int> listeners_;
  shard::Fleet fleet_;
  std::vector<std::unique_ptr<shard::Shard>> shards_;  // null: stopped
};

}  // namespace ringroom::sim
