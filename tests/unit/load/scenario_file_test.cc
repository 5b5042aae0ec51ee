#include "load/scenario_file.h"

#include "../../temporary_folder.h"
#include "load/command.h"

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

class ScenarioFiles : public testing::Test {
 protected:
  Command parse(const std::string& text,
                std::vector<const char*> more = {},
                const char* name = "it.toml") {
    const std::string file = folder_.path() + "/" + name;
    std::ofstream(file) << text;
    std::vector<const char*> arguments = {"ringroom load", "ws://127.0.0.1:1/x", "--scenario-file",
                                          file.c_str()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return parse_command(static_cast<int>(arguments.size()), arguments.data());
  }

  void expect_error(const std::string& text,
                    const std::string& part,
                    const char* name = "it.toml") {
    const Command command = parse(text, {}, name);
    EXPECT_FALSE(command.plan) << text;
    EXPECT_EQ(command.exit_code, 2);
    EXPECT_NE(command.output.find(part), std::string::npos) << command.output;
    EXPECT_NE(command.output.find(name), std::string::npos) << command.output;
  }

  TemporaryFolder folder_;
};

TEST_F(ScenarioFiles, KeysAreFlags) {
  const Command command = parse(R"(
    connections = 7
    text = true
    includes-sender = false
    rate = 1500.5
    size = "64-100"
    header = ["A: b", "C: d"]
  )");
  ASSERT_TRUE(command.plan) << command.output;
  EXPECT_EQ(command.plan->connections, 7U);
  EXPECT_TRUE(command.plan->text);
  EXPECT_FALSE(command.plan->includes_sender);
  EXPECT_DOUBLE_EQ(command.plan->rate, 1500.5);
  EXPECT_EQ(command.plan->sizes.most, 100U);
  EXPECT_EQ(command.plan->target.headers, "A: b\r\nC: d\r\n");
}

TEST_F(ScenarioFiles, TheCommandLineCountsMore) {
  const Command command =
      parse("connections = 7\nurl = 'ws://127.0.0.2:2/y'\n", {"--connections", "9"});
  ASSERT_TRUE(command.plan) << command.output;
  EXPECT_EQ(command.plan->connections, 9U);
  EXPECT_EQ(command.plan->target.url, "ws://127.0.0.1:1/x");
}

TEST_F(ScenarioFiles, JsonHasTheSameShape) {
  const std::string text = R"({"rate": 100, "phase": [{"name": "up", "duration": "2s",
    "rate": [10, "200%"]}], "mix": [{"scenario": "echo", "connections": 5},
    {"scenario": "idle", "connections": 3}]})";
  const Command command = parse(text, {}, "it.json");
  ASSERT_TRUE(command.plan) << command.output;
  ASSERT_EQ(command.plan->phases.size(), 1U);
  EXPECT_DOUBLE_EQ(command.plan->phases[0].rate.begin, 0.1);
  EXPECT_DOUBLE_EQ(command.plan->phases[0].rate.end, 2);
  ASSERT_EQ(command.plan->mix.size(), 2U);
  EXPECT_EQ(command.plan->connections, 8U);
  EXPECT_STREQ(command.plan->what(), "mix");
  EXPECT_EQ(command.plan->mix[1].first_index, 5U);
  EXPECT_EQ(command.plan->mix[1].duration_ns, 2'000'000'000U);
}

TEST_F(ScenarioFiles, APhaseGoesOnWhereTheOneBeforeEnded) {
  const Command command = parse(R"(
    rate = 100
    connections = 50
    [[phase]]
    duration = "1s"
    rate = [0, 50]
    connections = ["10%", 25]
    [[phase]]
    name = "hold"
    duration = "500ms"
    [[phase]]
    name = "spike"
    duration = "2s"
    rate = 300
  )");
  ASSERT_TRUE(command.plan) << command.output;
  const std::vector<Phase>& phases = command.plan->phases;
  ASSERT_EQ(phases.size(), 3U);
  EXPECT_EQ(phases[0].name, "phase-1");
  EXPECT_DOUBLE_EQ(phases[0].rate.begin, 0);
  EXPECT_DOUBLE_EQ(phases[0].connections.begin, 0.1);
  EXPECT_DOUBLE_EQ(phases[1].rate.begin, 0.5);
  EXPECT_DOUBLE_EQ(phases[1].rate.end, 0.5);
  EXPECT_DOUBLE_EQ(phases[1].connections.begin, 0.5);
  EXPECT_DOUBLE_EQ(phases[2].rate.end, 3);
  EXPECT_DOUBLE_EQ(phases[2].connections.end, 0.5);
  EXPECT_EQ(command.plan->duration_ns, 3'500'000'000U);
  EXPECT_EQ(command.plan->phase_at(1'499'999'999), &phases[1]);
  EXPECT_EQ(command.plan->phase_at(1'500'000'000), &phases[2]);
  EXPECT_EQ(command.plan->phase_at(3'500'000'000), nullptr);
  EXPECT_DOUBLE_EQ(command.plan->connections_level(500'000'000), 0.3);
}

TEST_F(ScenarioFiles, PhasesAloneMaySayHowMuch) {
  const Command command = parse(R"(
    [[phase]]
    duration = "1s"
    rate = [100, 400]
    connections = [10, 40]
  )");
  ASSERT_TRUE(command.plan) << command.output;
  EXPECT_DOUBLE_EQ(command.plan->rate, 400);
  EXPECT_EQ(command.plan->connections, 40U);
  EXPECT_DOUBLE_EQ(command.plan->phases[0].rate.begin, 0.25);
  EXPECT_DOUBLE_EQ(command.plan->phases[0].connections.end, 1);
  const std::vector<Stretch> stretches = command.plan->stretches(0.5);
  ASSERT_EQ(stretches.size(), 2U);  // with the warm-up
  EXPECT_DOUBLE_EQ(stretches[0].rate_end, 50);
  EXPECT_DOUBLE_EQ(stretches[1].rate_end, 200);
}

TEST_F(ScenarioFiles, TheRateOfEachFollowsTheConnections) {
  const Command command = parse(R"(
    connections = 20
    rate-each = 2
    [[phase]]
    duration = "1s"
    connections = ["50%", "100%"]
    rate = "300%"
  )");
  ASSERT_TRUE(command.plan) << command.output;
  EXPECT_DOUBLE_EQ(command.plan->rate, 40);
  const Stretch stretch = command.plan->stretches(1).at(1);
  EXPECT_DOUBLE_EQ(stretch.rate_begin, 60);
  EXPECT_DOUBLE_EQ(stretch.rate_end, 120);
}

TEST_F(ScenarioFiles, AMixSharesTheConnections) {
  const Command command = parse(R"(
    connections = 1000
    size = "100"
    [[mix]]
    scenario = "idle"
    share = 80
    [[mix]]
    name = "chat"
    scenario = "broadcast"
    share = 15
    members = 4
    rate-each = 0.5
    senders = 2
    path = "/r/{room}?a=b"
    [[mix]]
    scenario = "echo"
    share = 5
    size = 200
  )");
  ASSERT_TRUE(command.plan) << command.output;
  const std::vector<Plan>& mix = command.plan->mix;
  ASSERT_EQ(mix.size(), 3U);
  EXPECT_EQ(mix[0].name, "idle");
  EXPECT_EQ(mix[0].connections, 800U);
  EXPECT_EQ(mix[1].rooms, 37U);
  EXPECT_EQ(mix[1].connections, 148U);
  EXPECT_DOUBLE_EQ(mix[1].rate, 37);
  EXPECT_EQ(mix[1].target.path, "/r/{room}?a=b");
  EXPECT_EQ(mix[1].sizes.least, 100U);
  EXPECT_EQ(mix[2].connections, 50U);
  EXPECT_EQ(mix[2].sizes.least, 200U);
  EXPECT_EQ(mix[2].target.path, "/x");
  EXPECT_EQ(command.plan->connections, 998U);
}

TEST_F(ScenarioFiles, TheExampleIsOne) {
  const Command command = parse(scenario_example());
  ASSERT_TRUE(command.plan) << command.output;
  EXPECT_EQ(command.plan->phases.size(), 4U);
  EXPECT_EQ(command.plan->mix.size(), 3U);
  const char* const arguments[] = {"ringroom load", "--scenario-example"};
  EXPECT_EQ(parse_command(2, arguments).output, scenario_example());
}

TEST_F(ScenarioFiles, SaysWhereWhatIsWrong) {
  expect_error("url = \n", "line 1");
  expect_error("{\"rate\": 5,\n}", "line 2", "it.json");
  expect_error("", "neither .toml nor .json", "it.yaml");
  expect_error("[]", "no table", "it.json");
  expect_error("conections = 5",
               "'conections' is no setting; there are: url, phase, mix, scenario");
  expect_error("rate = true", "rate must be a string or a number");
  expect_error("text = 'yes'", "text must be true or false");
  expect_error("rate = [1, 2]", "rate takes one value");
  expect_error("size = 5", "--size must be at least 32");
  expect_error("scenario = 'party'", "scenario: 'party' is no scenario");
  expect_error("url = 5", "url must be a string");
  expect_error("phase = 5", "[[phase]]");
  expect_error("[[phase]]\nname = 'a'", "phase 'a': duration");
  expect_error("[[phase]]\nduration = '5'", "phase 1: duration");
  expect_error("[[phase]]\nduration = '50ms'", "at least 100ms");
  expect_error("[[phase]]\nduration = '1s'\nspeed = 1", "'speed' is none of its keys: name,");
  expect_error("[[phase]]\nduration = 1", "duration must be a string");
  expect_error("[[phase]]\nduration = '1s'\nname = 'a.b'", "'a.b' is no name");
  expect_error("duration = '1s'\n[[phase]]\nduration = '1s'", "leave it out");
  expect_error("scenario = 'game'\n[[phase]]\nduration = '1s'", "game and replay");
}

TEST_F(ScenarioFiles, SaysWhatIsWrongWithLevels) {
  const std::string phase = "[[phase]]\nduration = '1s'\n";
  for (const char* rate : {"-1", "'50'", "'-1%'", "'x%'", "[1]", "[1, 2, 3]", "true", "{}"}) {
    expect_error("rate = 5\n" + phase + "rate = " + rate, "rate must be a number, a part");
  }
  expect_error(phase + "rate = '50%'", "nothing is sent at one");
  expect_error("rate-each = 1\n" + phase + "rate = 50", "\"150%\"");
  expect_error("connections = 5\n" + phase + "connections = 6", "can't be more than there are, 5");
  expect_error("scenario = 'storm'\n" + phase + "connections = 6", "connect and storm");
  expect_error(phase + "name = 'a'\n" + phase + "name = 'a'", "two of the name 'a'");
}

TEST_F(ScenarioFiles, SaysWhatIsWrongWithAMix) {
  expect_error("[[mix]]\nscenario = 'echo'", "mix 1: needs one of share, connections and rooms");
  expect_error("[[mix]]\nshare = 5\nconnections = 5", "needs one of");
  expect_error("[[mix]]\nname = 'a'\nshare = 101", "mix 'a': share must be");
  expect_error("[[mix]]\nshare = 5\nexpect = 'errors=0'", "'expect' is none of its keys");
  expect_error("[[mix]]\nshare = 5\npath = 'x'", "'x' is no path");
  expect_error("[[mix]]\nshare = 5\nscenario = 'game'", "game and replay");
  expect_error("[[mix]]\nshare = 5\nrate = 5\nrate-each = 5", "can't be both");
  expect_error("[[mix]]\nshare = 5\n[[mix]]\nshare = 5", "two of the name 'echo'");
  expect_error("[[mix]]\nshare = 60\n[[mix]]\nname = 'b'\nshare = 60", "more than 100");
}

TEST_F(ScenarioFiles, ExpectationsNameWhatIsThere) {
  const std::string file = "[[phase]]\nname = 'spike'\nduration = '1s'\n";
  EXPECT_TRUE(parse(file, {"--expect", "spike.p99<5ms"}).plan);
  EXPECT_NE(parse(file, {"--expect", "peak.p99<5ms"}).output.find("'peak'"), std::string::npos);
  EXPECT_NE(parse(file, {"--expect", "spike.lost=0"}).output.find("next"), std::string::npos);
}

}  // namespace
}  // namespace ringroom::load
