// ShardSimulation: one story of whole shards in a world full of faults: clients come, talk, and go
// in every way, and at the end everything must have been delivered and nothing be left. All of it
// follows from the seed. Made by a test; one thread.
#pragma once

#include "base/random.h"
#include "faults.h"
#include "shard/config.h"
#include "sim_agents.h"
#include "sim_fleet.h"
#include "sim_player.h"
#include "sim_world.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ringroom::sim {

class ShardSimulation {
 public:
  ShardSimulation(std::uint64_t seed, const FaultProfile& faults);

  /// Plays it; returns what went wrong, in words.
  std::vector<std::string> run();
  std::string describe() const;
  /// The same seed gives the same number.
  std::uint64_t completions_total() const { return world_.completions_total(); }

 private:
  // Somebody who asks over HTTP, some requests behind each other, or who never finishes one.
  struct Visitor {
    SimClient client;
    std::string output;
    std::size_t requests = 0;  // 0: not a whole one
    std::string received;
    bool reads_all() const;
  };

  static shard::Config make_config(base::Random& random, const FaultProfile& faults);
  Behaviour draw_behaviour();
  void add_players();
  void add_player(const Behaviour& behaviour, bool member);
  void add_visitors();
  void step_visitor(Visitor& visitor);
  void play();
  void gather_members();
  void finish();
  bool is_waited_for(const SimPlayer& player, bool told) const;
  void tell_members();
  void leave_nothing();
  void stop();
  void check_players();
  void check_echo(const SimPlayer& player);
  void check_relay(const SimPlayer& receiver);
  void check_visitors();
  void expect(bool holds, const std::string& what);
  void run_fleet(std::uint64_t nanoseconds);
  bool is_tight() const { return config_.outbox_bytes_max < outbox_bytes_lossless; }
  bool has_small_table() const { return config_.files_max < files_max_normal; }
  bool chance(double probability);
  std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }

  static constexpr std::size_t outbox_bytes_lossless = 64 << 20;
  static constexpr std::uint32_t files_max_normal = 64 + 100;

  std::uint64_t seed_;
  base::Random random_;
  SimWorld world_;
  Journal journal_;
  shard::Config config_;
  unsigned shards_;
  std::unique_ptr<SimFleet> fleet_;
  std::size_t payload_bytes_max_;
  std::vector<std::unique_ptr<SimPlayer>> players_;
  std::vector<SimPlayer*> members_;  // of the relay, there from before the first message
  std::vector<Visitor> visitors_;
  std::vector<std::string> faults_;
};

}  // namespace ringroom::sim
