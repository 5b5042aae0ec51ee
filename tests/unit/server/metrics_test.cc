#include "server/metrics.h"

#include <array>

#include <gtest/gtest.h>

namespace ringroom::server {
namespace {

std::string text_of(const shard::Stats& first, const shard::Stats& second) {
  const std::array<const shard::Stats*, 2> shards = {&first, &second};
  return metrics_text(shards, {});
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, LabelEachShard) {
  shard::Stats first;
  shard::Stats second;
  first.messages_received_total.add(3);
  second.messages_received_total.add(4);
  second.connections_open.add(2);
  const std::string text = text_of(first, second);
  EXPECT_TRUE(has_line(text, "# TYPE ringroom_messages_received_total counter")) << text;
  EXPECT_TRUE(has_line(text, "ringroom_messages_received_total{shard=\"0\"} 3")) << text;
  EXPECT_TRUE(has_line(text, "ringroom_messages_received_total{shard=\"1\"} 4")) << text;
  EXPECT_TRUE(has_line(text, "# TYPE ringroom_connections gauge")) << text;
  EXPECT_TRUE(has_line(text, "ringroom_connections{shard=\"1\"} 2")) << text;
}

TEST(Metrics, CountDurationsFromTheSmallestBucketUp) {
  shard::Stats stats;
  stats.turn_time.add(500);             // below 1 µs
  stats.turn_time.add(3'000);           // below 4 µs
  stats.turn_time.add(20'000'000'000);  // above all edges
  const std::string text = text_of(stats, stats);
  EXPECT_TRUE(has_line(text, "ringroom_turn_seconds_bucket{shard=\"0\",le=\"1e-06\"} 1")) << text;
  EXPECT_TRUE(has_line(text, "ringroom_turn_seconds_bucket{shard=\"0\",le=\"2e-06\"} 1")) << text;
  EXPECT_TRUE(has_line(text, "ringroom_turn_seconds_bucket{shard=\"0\",le=\"4e-06\"} 2")) << text;
  EXPECT_TRUE(has_line(text, "ringroom_turn_seconds_bucket{shard=\"0\",le=\"+Inf\"} 3")) << text;
  EXPECT_TRUE(has_line(text, "ringroom_turn_seconds_count{shard=\"0\"} 3")) << text;
  EXPECT_NE(text.find("ringroom_turn_seconds_sum{shard=\"0\"} 20.0000035"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace ringroom::server
