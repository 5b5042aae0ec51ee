// Whole shards in simulation. Each seed is a story of its own; a failure names the seed and how to
// repeat it. RINGROOM_SIM_SEEDS=n: so many new ones. RINGROOM_SIM_SEED=n: only that one.
#include "shard_sim.h"

#include "base/log.h"
#include "base/poison.h"
#include "sim_seeds.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::sim {
namespace {

constexpr std::uint64_t fixed_seeds = 60;
constexpr std::uint64_t new_seeds_default = 15;

constexpr const char* program = "shard_sim_test";

class ShardSimulationTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { base::set_log_level(base::LogLevel::error); }

  static void play(std::uint64_t seed) {
    begin_seed(program, seed);
    ShardSimulation simulation(seed, FaultProfile::swarm(seed));
    const std::vector<std::string> faults = simulation.run();
    if (faults.empty()) return;
    std::string text;
    for (const std::string& fault : faults) text += "\n  " + fault;
    ADD_FAILURE() << simulation.describe() << text << how_to_repeat();
  }

  static bool only_one_is_wanted() { return wanted_seed().has_value(); }

  /// How many of the first seeds notice that something never possible happens.
  static int noticed(double FaultProfile::*bug, double probability) {
    int count = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      begin_seed(program, seed);
      FaultProfile faults;
      faults.*bug = probability;
      count += ShardSimulation(seed, faults).run().empty() ? 0 : 1;
    }
    return count;
  }
};

TEST_F(ShardSimulationTest, KeepsItsPromisesForTheSeedThatIsAsked) {
  const auto seed = wanted_seed();
  if (!seed) GTEST_SKIP() << "no RINGROOM_SIM_SEED";
  play(*seed);
}

TEST_F(ShardSimulationTest, KeepsItsPromisesWithoutFaults) {
  if (only_one_is_wanted()) GTEST_SKIP();
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    begin_seed(program, seed);
    EXPECT_EQ(ShardSimulation(seed, {}).run(), std::vector<std::string>()) << "seed " << seed;
  }
}

TEST_F(ShardSimulationTest, KeepsItsPromisesForFixedSeeds) {
  if (only_one_is_wanted()) GTEST_SKIP();
  for (std::uint64_t seed = 1; seed <= fixed_seeds; ++seed) play(seed);
}

TEST_F(ShardSimulationTest, KeepsItsPromisesForNewSeeds) {
  if (only_one_is_wanted()) GTEST_SKIP();
  std::random_device random;
  const std::uint64_t seeds = new_seeds(new_seeds_default);
  for (std::uint64_t i = 0; i < seeds && !HasFailure(); ++i) play(1'000 + random());
}

TEST_F(ShardSimulationTest, TellsTheSameStoryForTheSameSeed) {
  if (only_one_is_wanted()) GTEST_SKIP();
  std::uint64_t completions[2] = {};
  for (std::uint64_t& total : completions) {
    ShardSimulation simulation(11, FaultProfile::swarm(11));
    simulation.run();
    total = simulation.completions_total();
  }
  EXPECT_EQ(completions[0], completions[1]);
}

// Canaries: a net that doesn't hold these is no net.

TEST_F(ShardSimulationTest, NoticesACorruptedByte) {
  if (only_one_is_wanted()) GTEST_SKIP();
  EXPECT_GE(noticed(&FaultProfile::byte_corrupted, 0.05), 8);
}

TEST_F(ShardSimulationTest, NoticesALostCompletion) {
  if (only_one_is_wanted()) GTEST_SKIP();
  EXPECT_GE(noticed(&FaultProfile::completion_lost, 0.05), 8);
}

TEST_F(ShardSimulationTest, NoticesALostClose) {
  if (only_one_is_wanted()) GTEST_SKIP();
  EXPECT_GE(noticed(&FaultProfile::close_lost, 0.5), 8);
}

}  // namespace
}  // namespace ringroom::sim
