#include "load/command.h"

#include "load/flags.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

Command parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "ringroom load");
  return parse_command(static_cast<int>(arguments.size()), arguments.data());
}

constexpr const char* url = "ws://127.0.0.1:1/x";

TEST(Command, HasDefaults) {
  const Command command = parse({url});
  ASSERT_TRUE(command.plan) << command.output;
  EXPECT_EQ(command.plan->scenario, Scenario::echo);
  EXPECT_EQ(command.plan->connections, 100U);
  EXPECT_EQ(command.plan->duration_ns, 10'000'000'000U);
}

TEST(Command, TakesAFullOrder) {
  const Command command = parse({url,
                                 "--scenario",
                                 "broadcast",
                                 "--rooms=20",
                                 "--members=50",
                                 "--senders",
                                 "3",
                                 "--rate",
                                 "1500.5",
                                 "--size",
                                 "64-1KiB",
                                 "--text",
                                 "--threads",
                                 "2",
                                 "--source",
                                 "127.0.0.2-127.0.0.5",
                                 "--header",
                                 "A: b",
                                 "--expect",
                                 "p99<5ms,errors=0"});
  ASSERT_TRUE(command.plan) << command.output;
  const Plan& plan = *command.plan;
  EXPECT_EQ(plan.connections, 1000U);
  EXPECT_EQ(plan.senders, 3U);
  EXPECT_DOUBLE_EQ(plan.rate, 1500.5);
  EXPECT_EQ(plan.sizes.most, 1024U);
  EXPECT_TRUE(plan.text);
  EXPECT_EQ(plan.sources.size(), 1U);
  EXPECT_EQ(plan.target.headers, "A: b\r\n");
  EXPECT_EQ(plan.expectations.size(), 2U);
}

TEST(Command, AGameIsRoomsOfTenAndSteps) {
  const Command command = parse({url, "--scenario", "game", "--step", "30"});
  ASSERT_TRUE(command.plan) << command.output;
  EXPECT_EQ(command.plan->connections, 10'000U);
  EXPECT_EQ(command.plan->steps(), 34U);
  EXPECT_DOUBLE_EQ(command.plan->rate, 200'000);
  EXPECT_EQ(command.plan->duration_ns, 34 * 3'000'000'000ULL);
  EXPECT_EQ(command.plan->warm_up_ns, 0U);
}

TEST(Command, EnvelopesAreOfferedInTheHandshake) {
  const Command flat = parse({url, "--scenario", "batch"});
  ASSERT_TRUE(flat.plan) << flat.output;
  EXPECT_EQ(flat.plan->batched, 100U);
  EXPECT_EQ(flat.plan->target.headers, "Sec-WebSocket-Protocol: ringroom.batch.fb.v1\r\n");
  const Command text = parse({url, "--batch", "json", "--size", "64"});
  ASSERT_TRUE(text.plan) << text.output;
  EXPECT_EQ(text.plan->batched, 1U);
  EXPECT_TRUE(text.plan->text);
  EXPECT_EQ(text.plan->target.headers, "Sec-WebSocket-Protocol: ringroom.batch.json.v1\r\n");
}

TEST(Command, DevicesAskForBinaryAndGoByTheirPeriod) {
  const Command command = parse({url, "--scenario", "device", "--period", "500ms"});
  ASSERT_TRUE(command.plan) << command.output;
  EXPECT_EQ(command.plan->target.path, "/x?protocol=binary");
  EXPECT_DOUBLE_EQ(command.plan->rate, 200);
}

TEST(Command, RefusesWhatDoesNotFitTogether) {
  const std::vector<std::vector<const char*>> wrong = {
      {},
      {"http://127.0.0.1/"},
      {url, "--scenario", "party"},
      {"tcp://127.0.0.1:1/x", "--scenario", "idle"},
      {"tcp://127.0.0.1:1/x", "--batch", "fb"},
      {"tcp://127.0.0.1:1/x", "--header", "a: b"},
      {url, "--connections", "0"},
      {url, "--rate", "-1"},
      {url, "--rate", "1e999"},
      {url, "--size", "31"},
      {url, "--size", "63", "--text"},
      {url, "--size", "100-50"},
      {url, "--duration", "0s"},
      {url, "--duration", "5"},
      {url, "--members", "5"},
      {url, "--batched", "5"},
      {url, "--batch", "xml"},
      {url, "--batch", "fb", "--scenario", "idle"},
      {url, "--batch", "fb", "--batched", "16385"},
      {url, "--batch", "fb", "--prefix", "00"},
      {url, "--prefix", "0"},
      {url, "--hello", "0g"},
      {url, "--scenario", "device", "--text", "--size", "64"},
      {url, "--scenario", "device", "--rate", "5"},
      {url, "--scenario", "device", "--jitter", "101"},
      {url, "--scenario", "agents", "--args", "{}"},
      {url, "--scenario", "agents", "--size", "63"},
      {url, "--scenario", "broadcast", "--members", "1"},
      {url, "--scenario", "broadcast", "--members", "5", "--senders", "6"},
      {url, "--threads", "200"},
      {url, "--scenario", "game", "--game", "chess"},
      {url, "--scenario", "game", "--rate", "5"},
      {url, "--scenario", "game", "--size", "65"},
      {url, "--scenario", "game", "--text", "--size", "64"},
      {url, "--scenario", "game", "--step-duration", "100ms"},
      {url, "--header", "nonsense"},
      {url, "--header", "A: b\r\nC: d"},
      {url, "--expect", "p99<5"},
      {url, "--no-such-flag"},
  };
  for (const auto& arguments : wrong) {
    const Command command = parse(arguments);
    EXPECT_FALSE(command.plan);
    EXPECT_EQ(command.exit_code, 2);
    EXPECT_NE(command.output.find("ringroom load: "), std::string::npos);
    EXPECT_NE(command.output.find("--help"), std::string::npos);
  }
}

TEST(Command, HelpNamesEveryFlagScenarioAndMetric) {
  const Command command = parse({"--help"});
  EXPECT_EQ(command.exit_code, 0);
  for (const Flag& flag : flags()) {
    EXPECT_NE(command.output.find("--" + std::string(flag.name)), std::string::npos) << flag.name;
  }
  for (const Scenario scenario : all_scenarios) {
    EXPECT_NE(command.output.find(std::string("\n  ") + name_of(scenario)), std::string::npos);
  }
  for (const MetricName& metric : metric_names()) {
    EXPECT_NE(command.output.find(std::string("\n  ") + metric.name), std::string::npos);
  }
}

}  // namespace
}  // namespace ringroom::load
