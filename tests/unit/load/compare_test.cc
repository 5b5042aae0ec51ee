#include "load/compare.h"

#include "load/html.h"
#include "load/result.h"

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

// A run whose latencies lie around `latency_ns`, with ten moments that differ by `swing`.
Result made_result(std::uint64_t latency_ns, double swing) {
  Result result;
  result.plan.target.url = "ws://127.0.0.1/<x>";
  result.plan.warm_up_ns = 0;
  result.open = 100;
  result.measured_s = 10;
  for (std::uint64_t i = 0; i < 1000; ++i) result.latency.add(latency_ns + i * latency_ns / 1000);
  result.total.sent = result.total.expected = result.total.arrived = 1000;
  result.measured = result.total;
  result.measured.received = 1000;
  result.client_use = {0.5};
  for (int i = 0; i < 10; ++i) {
    Moment moment;
    moment.at_s = i;
    moment.length_s = 1;
    moment.tally.sent = moment.tally.received = 100;
    const double part = 1 + swing * (i - 5) / 5;
    moment.p50_ns = static_cast<std::uint64_t>(static_cast<double>(latency_ns) * 1.5 * part);
    moment.p99_ns = moment.p50_ns * 2;
    moment.max_ns = moment.p50_ns * 3;
    result.moments.push_back(moment);
  }
  return result;
}

TEST(Compare, ShowsRatiosOfSecondToFirst) {
  const json first = to_json(made_result(100'000, 0));
  const json second = to_json(made_result(200'000, 0));
  const std::string table = compare(first, second);
  EXPECT_NE(table.find("latency p50"), std::string::npos);
  EXPECT_NE(table.find("2.000"), std::string::npos);
  EXPECT_EQ(table.find("plans differ"), std::string::npos);
}

TEST(Compare, CallsNoiseWhatVariesAsMuchWithinARun) {
  const json first = to_json(made_result(100'000, 0.5));
  const json second = to_json(made_result(110'000, 0.5));
  EXPECT_NE(compare(first, second).find("no difference"), std::string::npos);
  const json steady = to_json(made_result(100'000, 0));
  const json slower = to_json(made_result(110'000, 0));
  const std::string table = compare(steady, slower);
  const std::size_t row = table.find("latency p50");
  EXPECT_EQ(table.substr(row, table.find('\n', row) - row).find("no difference"),
            std::string::npos);
}

TEST(Compare, SaysWhenTheRunsAreNotAlike) {
  Result other = made_result(100'000, 0);
  other.plan.connections = 7;
  other.client_use = {0.99};
  const std::string table = compare(to_json(made_result(100'000, 0)), to_json(other));
  EXPECT_NE(table.find("plans differ"), std::string::npos);
  EXPECT_NE(table.find("B: the client was the bottleneck"), std::string::npos);
}

TEST(Result, JudgesExpectations) {
  Result result = made_result(100'000, 0);
  result.plan.expectations = *parse_expectations("p99<1ms,errors=0").value;
  EXPECT_TRUE(judge(result).is_met);
  result.total.faults[0] = 1;
  EXPECT_FALSE(judge(result).is_met);
  // Nobody looked at the server's process.
  result.plan.expectations = *parse_expectations("server_cpu<1000").value;
  EXPECT_FALSE(judge(result).is_met);
}

TEST(Result, CountsWhatNeverCame) {
  Result result = made_result(100'000, 0);
  result.total.arrived = 990;
  EXPECT_EQ(to_json(result).at("/checks/lost"_json_pointer), 10);
  EXPECT_EQ(result.errors(), 10U);
  EXPECT_NE(summary(result).find("10 lost"), std::string::npos);
}

TEST(Html, NeedsNothingFromAnywhere) {
  const std::string page = html_page(to_json(made_result(100'000, 0.2)));
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<x>"), std::string::npos);
  EXPECT_NE(page.find("&lt;x&gt;"), std::string::npos);
  EXPECT_NE(page.find("<polyline"), std::string::npos);
  EXPECT_EQ(page.find("nan"), std::string::npos);
}

}  // namespace
}  // namespace ringroom::load
