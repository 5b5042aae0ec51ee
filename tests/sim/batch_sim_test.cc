// Queues and envelopes in simulation. Each seed is a story of its own; a failure names the seed and
// how to repeat it. RINGROOM_SIM_SEEDS=n: so many new ones. RINGROOM_SIM_SEED=n: only that one.
#include "batch_sim.h"

#include "base/log.h"
#include "sim_seeds.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::sim {
namespace {

constexpr std::uint64_t fixed_seeds = 80;
constexpr std::uint64_t new_seeds_default = 30;

class BatchSimulationTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { base::set_log_level(base::LogLevel::error); }

  static BatchSimulation::Seen play(std::uint64_t seed) {
    begin_seed("batch_sim_test", seed);
    BatchSimulation simulation(seed, FaultProfile::swarm(seed));
    const std::vector<std::string> faults = simulation.run();
    std::string text;
    for (const std::string& fault : faults) text += "\n  " + fault;
    if (!faults.empty()) ADD_FAILURE() << simulation.describe() << text << how_to_repeat();
    return simulation.seen();
  }
};

TEST_F(BatchSimulationTest, DeliversForTheSeedThatIsAsked) {
  const auto seed = wanted_seed();
  if (!seed) GTEST_SKIP() << "no RINGROOM_SIM_SEED";
  play(*seed);
}

TEST_F(BatchSimulationTest, DeliversWithoutFaults) {
  if (wanted_seed()) GTEST_SKIP();
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    begin_seed("batch_sim_test", seed);
    EXPECT_EQ(BatchSimulation(seed, {}).run(), std::vector<std::string>()) << "seed " << seed;
  }
}

// Each reliable message once, in order; the newest of each key; markers for what was dropped.
TEST_F(BatchSimulationTest, DeliversForFixedSeeds) {
  if (wanted_seed()) GTEST_SKIP();
  BatchSimulation::Seen all;
  for (std::uint64_t seed = 1; seed <= fixed_seeds; ++seed) {
    const BatchSimulation::Seen seen = play(seed);
    all.envelopes += seen.envelopes;
    all.conflated += seen.conflated;
    all.missed += seen.missed;
    all.woken += seen.woken;
    all.given_up += seen.given_up;
  }
  // What the stories are about did happen in them.
  EXPECT_GT(all.envelopes, 1'000U);
  EXPECT_GT(all.conflated, 1'000U);
  EXPECT_GT(all.missed, 100U);
  EXPECT_GT(all.woken, 100U);
  EXPECT_GT(all.given_up, 3U);
}

TEST_F(BatchSimulationTest, DeliversForNewSeeds) {
  if (wanted_seed()) GTEST_SKIP();
  std::random_device random;
  const std::uint64_t seeds = new_seeds(new_seeds_default);
  for (std::uint64_t i = 0; i < seeds && !HasFailure(); ++i) play(1'000 + random());
}

// A canary: a net that doesn't hold it is no net.
TEST_F(BatchSimulationTest, NoticesACorruptedByte) {
  if (wanted_seed()) GTEST_SKIP();
  int noticed = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    begin_seed("batch_sim_test", seed);
    FaultProfile faults;
    faults.byte_corrupted = 0.2;
    noticed += BatchSimulation(seed, faults).run().empty() ? 0 : 1;
  }
  EXPECT_GE(noticed, 7);
}

}  // namespace
}  // namespace ringroom::sim
