#include "server/config_file.h"

#include "../../temporary_folder.h"

#include <fstream>

#include <gtest/gtest.h>

namespace ringroom::server {
namespace {

using namespace std::chrono_literals;

// A file that is gone after the test.
class File {
 public:
  explicit File(std::string_view content) { std::ofstream(path_) << content; }
  const std::string& path() const { return path_; }

 private:
  TemporaryFolder folder_;
  std::string path_ = folder_.path() + "/config.toml";
};

Settings settings_of(std::string_view content) {
  const File file(content);
  Settings settings;
  EXPECT_EQ(read_config_file(file.path(), settings), "");
  return settings;
}

// What is wrong with the file, from its line number on.
std::string error_of(std::string_view content) {
  const File file(content);
  Settings settings;
  const std::string error = read_config_file(file.path(), settings);
  EXPECT_TRUE(error.starts_with(file.path() + ":")) << error;
  return error.substr(std::min(error.size(), file.path().size() + 1));
}

TEST(ConfigFile, TakesTheNamesOfTheFlags) {
  const Settings settings = settings_of(R"(
listen = "0.0.0.0:9000"
admin = "off"
shards = 2
hibernate-after = "never"
agents = ["a.so", "b.so"]
message-bytes-max = "1MiB"
body-bytes-max = 65536
ping-every = "20s"
ring-features = "none"
log-level = "error"
)");
  const ServerOptions& options = settings.options;
  EXPECT_EQ(options.listen, "0.0.0.0:9000");
  EXPECT_EQ(options.admin, "off");
  EXPECT_EQ(options.shards, 2U);
  EXPECT_FALSE(options.hibernate_after);
  EXPECT_EQ(options.agents, (std::vector<std::string>{"a.so", "b.so"}));
  EXPECT_EQ(options.message_bytes_max, 1U << 20);
  EXPECT_EQ(options.body_bytes_max, 65536U);
  EXPECT_EQ(options.ping_every, 20s);
  EXPECT_EQ(options.ring_features, std::vector<std::string>{});
  EXPECT_EQ(settings.log_level, base::LogLevel::error);
}

TEST(ConfigFile, TakesEnvAsATableOrAsFlagsDo) {
  const std::map<std::string, std::string> expected = {{"A", "x"}, {"B", "2"}};
  EXPECT_EQ(settings_of("[env]\nA = 'x'\nB = 2\n").options.env, expected);
  EXPECT_EQ(settings_of("env = ['A=x', 'B=2']\n").options.env, expected);
}

TEST(ConfigFile, TakesPropsByClass) {
  const Settings settings = settings_of(R"(
[props.ChatRoom]
greeting = "hello"
words = ["a", "b"]
slow-mode = {seconds = 1.5, on = true}
opened = 2024-05-06
[props.Lab]
size = 3
)");
  EXPECT_EQ(settings.options.props.at("ChatRoom"), json::parse(R"({
    "greeting": "hello", "words": ["a", "b"], "slow-mode": {"seconds": 1.5, "on": true},
    "opened": "2024-05-06"})"));
  EXPECT_EQ(settings.options.props.at("Lab"), json({{"size", 3}}));
}

TEST(ConfigFile, NamesAnUnknownKeyWithItsLine) {
  const std::string error = error_of("shards = 1\nlisten = '127.0.0.1:1'\nlisen = 'x'\n");
  EXPECT_TRUE(error.starts_with("3: unknown key 'lisen'")) << error;
  EXPECT_TRUE(error_of("config = 'other.toml'\n").starts_with("1: unknown key 'config'"));
  EXPECT_TRUE(error_of("[server]\nlisten = 'x'\n").starts_with("1: unknown key 'server'"));
}

TEST(ConfigFile, NamesAWrongValueWithItsLine) {
  EXPECT_EQ(error_of("\ndurability = 'none'\n"), "2: durability: 'none' must be strict or process");
  EXPECT_EQ(error_of("shards = -1\n"), "1: shards: '-1' is not a whole number");
  EXPECT_EQ(error_of("shards = [1]\n"), "1: shards must be a string or a whole number");
  EXPECT_EQ(error_of("env = 5\n"), "1: env: '5' must look like KEY=VALUE");
  EXPECT_EQ(error_of("props = 5\n"), "1: props must be tables by class, such as [props.ChatRoom]");
}

TEST(ConfigFile, SaysWhereItIsNoToml) {
  EXPECT_TRUE(error_of("shards = 1\nlisten = 127.0.0.1:1\n").starts_with("2: "));
}

TEST(ConfigFile, SaysThatItIsMissing) {
  Settings settings;
  const std::string error = read_config_file("/nonexistent/ringroom.toml", settings);
  EXPECT_TRUE(error.starts_with("/nonexistent/ringroom.toml: ")) << error;
}

TEST(ConfigFile, YieldsToFlags) {
  const File file("shards = 2\nping-every = '1s'\nagents = ['a.so']\n[env]\nA = '1'\nB = '1'\n");
  const std::vector<const char*> arguments = {
      "game", "--shards", "3", "--config", file.path().c_str(), "--env", "B=2", "--agents", "b.so"};
  const Command command = parse_command(static_cast<int>(arguments.size()), arguments.data());
  ASSERT_TRUE(command.settings) << command.output;
  const ServerOptions& options = command.settings->options;
  EXPECT_EQ(options.shards, 3U);
  EXPECT_EQ(options.ping_every, 1s);
  EXPECT_EQ(options.agents, (std::vector<std::string>{"a.so", "b.so"}));
  EXPECT_EQ(options.env, (std::map<std::string, std::string>{{"A", "1"}, {"B", "2"}}));
}

TEST(ConfigFile, IsHeldToTheLimitsOfTheFlags) {
  const File file("attachment-bytes-max = '1MiB'\n");
  const std::vector<const char*> arguments = {"game", "--config", file.path().c_str()};
  const Command command = parse_command(static_cast<int>(arguments.size()), arguments.data());
  EXPECT_FALSE(command.settings);
  EXPECT_NE(command.output.find("--attachment-bytes-max must be between"), std::string::npos);
}

}  // namespace
}  // namespace ringroom::server
