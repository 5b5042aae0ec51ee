#include "server/options.h"

#include "server/flags.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::server {
namespace {

using namespace std::chrono_literals;

Command parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "game");
  return parse_command(static_cast<int>(arguments.size()), arguments.data());
}

ServerOptions options_of(std::vector<const char*> arguments) {
  Command command = parse(std::move(arguments));
  EXPECT_TRUE(command.settings) << command.output;
  return command.settings ? command.settings->options : ServerOptions{};
}

// What a refused command line is told.
std::string error_of(std::vector<const char*> arguments) {
  const Command command = parse(std::move(arguments));
  EXPECT_FALSE(command.settings);
  EXPECT_EQ(command.exit_code, 1);
  EXPECT_TRUE(command.output.ends_with("\nRun 'game --help' to see every flag.\n"));
  return command.output.substr(0, command.output.find('\n'));
}

TEST(Options, HaveTheDocumentedDefaults) {
  const ServerOptions options = options_of({});
  EXPECT_EQ(options.listen, "127.0.0.1:8787");
  EXPECT_EQ(options.admin, "127.0.0.1:8788");
  EXPECT_EQ(options.shards, 0U);
  EXPECT_EQ(options.data, "./ringroom-data");
  EXPECT_EQ(options.durability, Durability::strict);
  EXPECT_EQ(options.hibernate_after, 10s);
  EXPECT_EQ(options.message_bytes_max, 4U << 20);
  EXPECT_EQ(options.attachment_bytes_max, 2048U);
  EXPECT_EQ(options.outbox_bytes_max, 1U << 20);
  EXPECT_EQ(options.body_bytes_max, 8U << 20);
  EXPECT_EQ(options.room_connections_max, 32768U);
  EXPECT_EQ(options.database_bytes_max, 10ULL << 30);
  EXPECT_EQ(options.databases_open_max, 2000U);
  EXPECT_EQ(options.query_time_max, 5s);
  EXPECT_EQ(options.handshake_timeout, 10s);
  EXPECT_EQ(options.ping_every, 0ms);
  EXPECT_FALSE(options.ring_features);
}

TEST(Options, TakeEveryFlag) {
  const Command command = parse({"--listen",
                                 "[::]:0",
                                 "--admin",
                                 "off",
                                 "--shards",
                                 "3",
                                 "--data",
                                 ":memory:",
                                 "--durability",
                                 "process",
                                 "--hibernate-after",
                                 "500ms",
                                 "--agents",
                                 "a.so",
                                 "--agents",
                                 "b.so",
                                 "--env",
                                 "A=1",
                                 "--env",
                                 "B=x=y",
                                 "--prefix",
                                 "api/v2",
                                 "--prefix",
                                 "/",
                                 "--allow-origin",
                                 "https://game.example",
                                 "--message-bytes-max",
                                 "1MiB",
                                 "--attachment-bytes-max",
                                 "16KiB",
                                 "--outbox-bytes-max",
                                 "64KiB",
                                 "--body-bytes-max",
                                 "0",
                                 "--room-connections-max",
                                 "5",
                                 "--database-bytes-max",
                                 "1GiB",
                                 "--databases-open-max",
                                 "7",
                                 "--query-time-max",
                                 "100ms",
                                 "--handshake-timeout",
                                 "1s",
                                 "--ping-every",
                                 "30s",
                                 "--ring-features",
                                 "min-wait,no-sq-array",
                                 "--log-level",
                                 "warn"});
  ASSERT_TRUE(command.settings) << command.output;
  const ServerOptions& options = command.settings->options;
  EXPECT_EQ(options.listen, "[::]:0");
  EXPECT_EQ(options.admin, "off");
  EXPECT_EQ(options.shards, 3U);
  EXPECT_EQ(options.data, ":memory:");
  EXPECT_EQ(options.durability, Durability::process);
  EXPECT_EQ(options.hibernate_after, 500ms);
  EXPECT_EQ(options.agents, (std::vector<std::string>{"a.so", "b.so"}));
  EXPECT_EQ(options.env, (std::map<std::string, std::string>{{"A", "1"}, {"B", "x=y"}}));
  EXPECT_EQ(options.prefixes, (std::vector<std::string>{"api/v2", "/"}));
  EXPECT_EQ(options.allow_origins, (std::vector<std::string>{"https://game.example"}));
  EXPECT_EQ(options.message_bytes_max, 1U << 20);
  EXPECT_EQ(options.attachment_bytes_max, 16384U);
  EXPECT_EQ(options.outbox_bytes_max, 65536U);
  EXPECT_EQ(options.body_bytes_max, 0U);
  EXPECT_EQ(options.room_connections_max, 5U);
  EXPECT_EQ(options.database_bytes_max, 1U << 30);
  EXPECT_EQ(options.databases_open_max, 7U);
  EXPECT_EQ(options.query_time_max, 100ms);
  EXPECT_EQ(options.handshake_timeout, 1s);
  EXPECT_EQ(options.ping_every, 30s);
  EXPECT_EQ(options.ring_features, (std::vector<std::string>{"min-wait", "no-sq-array"}));
  EXPECT_EQ(command.settings->log_level, base::LogLevel::warn);
}

TEST(Options, TakeTheWordsForNothing) {
  EXPECT_FALSE(options_of({"--hibernate-after", "never"}).hibernate_after);
  EXPECT_EQ(options_of({"--ping-every", "1s", "--ping-every", "off"}).ping_every, 0ms);
  EXPECT_EQ(options_of({"--ring-features", "none"}).ring_features, std::vector<std::string>{});
}

TEST(Options, TakeTheLastOfARepeatedFlag) {
  EXPECT_EQ(options_of({"--shards", "1", "--shards=2"}).shards, 2U);
}

TEST(Options, KeepAnEnvValueAsItIs) {
  const ServerOptions options = options_of({"--env", "LIST=[1,2]", "--env", "EMPTY="});
  EXPECT_EQ(options.env.at("LIST"), "[1,2]");
  EXPECT_EQ(options.env.at("EMPTY"), "");
}

TEST(Options, NameTheFlagAndTheValueThatIsWrong) {
  EXPECT_TRUE(error_of({"--hibernate-after", "10"})
                  .starts_with("game: --hibernate-after: '10' is not a duration"));
  EXPECT_TRUE(error_of({"--body-bytes-max", "8MB"})
                  .starts_with("game: --body-bytes-max: '8MB' is not a size"));
  EXPECT_EQ(error_of({"--durability", "none"}),
            "game: --durability: 'none' must be strict or process");
  EXPECT_EQ(error_of({"--env", "=x"}), "game: --env: '=x' must look like KEY=VALUE");
  EXPECT_EQ(error_of({"--log-level", "loud"}),
            "game: --log-level: 'loud' must be debug, info, warn or error");
  EXPECT_EQ(error_of({"--agents", ""}), "game: --agents: '' is empty");
  EXPECT_TRUE(error_of({"--ring-features", "a,,b"}).starts_with("game: --ring-features: 'a,,b'"));
  EXPECT_TRUE(error_of({"--shards", "0"}).starts_with("game: --shards: '0' must be at least 1"));
  EXPECT_TRUE(error_of({"--listen", "localhost:1"}).starts_with("game: --listen: 'localhost:1'"));
  EXPECT_TRUE(error_of({"--admin", "none"}).starts_with("game: --admin: 'none'"));
}

TEST(Options, RefuseWhatNoUrlAndNoBrowserWouldSay) {
  EXPECT_TRUE(error_of({"--prefix", "a?b"}).starts_with("game: --prefix: 'a?b' is no path"));
  EXPECT_TRUE(error_of({"--prefix", "a\nb"}).starts_with("game: --prefix: "));
  EXPECT_EQ(error_of({"--prefix", ""}), "game: --prefix: '' is empty");
  EXPECT_TRUE(error_of({"--allow-origin", "https://game.example/"})
                  .starts_with("game: --allow-origin: 'https://game.example/' is not an origin"));
}

TEST(Options, HoldTheirLimits) {
  EXPECT_EQ(error_of({"--attachment-bytes-max", "16385"}),
            "game: --attachment-bytes-max must be between 0 and 16,384, not 16,385");
  EXPECT_EQ(error_of({"--shards", "257"}), "game: --shards must be between 1 and 256, not 257");
  EXPECT_EQ(error_of({"--room-connections-max", "0"}),
            "game: --room-connections-max must be between 1 and 1,048,576, not 0");
  EXPECT_EQ(error_of({"--message-bytes-max", "2GiB"}),
            "game: --message-bytes-max must be between 1 and 1,073,741,824, not 2,147,483,648");
  EXPECT_EQ(error_of({"--outbox-bytes-max", "0"}),
            "game: --outbox-bytes-max must be between 1 and 1,073,741,824, not 0");
  EXPECT_EQ(error_of({"--body-bytes-max", "2GiB"}),
            "game: --body-bytes-max must be between 0 and 1,073,741,824, not 2,147,483,648");
  EXPECT_EQ(error_of({"--handshake-timeout", "0s"}),
            "game: --handshake-timeout must be between 1ms and 1h, not 0ms");
  EXPECT_EQ(error_of({"--ping-every", "5ms"}),
            "game: --ping-every must be between 10ms and 24h, not 5ms");
}

TEST(Options, RefuseWhatTheyDoNotKnow) {
  EXPECT_NE(error_of({"--lisen", "127.0.0.1:1"}).find("--lisen"), std::string::npos);
  EXPECT_NE(error_of({"stray"}).find("stray"), std::string::npos);
  EXPECT_NE(error_of({"--shards"}).find("--shards"), std::string::npos);
}

TEST(Options, ExplainEveryFlagInTheHelp) {
  const Command command = parse({"--help"});
  EXPECT_FALSE(command.settings);
  EXPECT_EQ(command.exit_code, 0);
  EXPECT_NE(command.output.find("Usage: game"), std::string::npos);
  for (const Flag& flag : flags()) {
    EXPECT_NE(command.output.find("--" + std::string(flag.name) + " " + flag.value),
              std::string::npos)
        << flag.name;
    EXPECT_NE(std::string(flag.help), "") << flag.name;
  }
}

TEST(Flags, HaveOneEntryForAName) {
  std::set<std::string_view> names;
  for (const Flag& flag : flags()) EXPECT_TRUE(names.insert(flag.name).second) << flag.name;
  EXPECT_EQ(find_flag("lisen"), nullptr);
  EXPECT_NE(find_flag("listen"), nullptr);
}

}  // namespace
}  // namespace ringroom::server
