#include "codec/agents/server_frame.h"

#include <gtest/gtest.h>

namespace ringroom::codec::agents {
namespace {

TEST(ServerFrame, SaysWhetherAStateFollows) {
  EXPECT_EQ(
      identity_frame("a\"b", "io-t-agent", true),
      R"({"type":"cf_agent_identity","name":"a\"b","agent":"io-t-agent","stateFollows":true})");
  EXPECT_EQ(identity_frame("r", "x", false),
            R"({"type":"cf_agent_identity","name":"r","agent":"x"})");
}

TEST(ServerFrame, CarriesTheStateAsItWasEncoded) {
  EXPECT_EQ(state_frame(R"({"b":1})"), R"({"state":{"b":1},"type":"cf_agent_state"})");
}

TEST(ServerFrame, LeavesOutTheResultOfNothing) {
  EXPECT_EQ(result_frame("7", json(json::value_t::discarded), true),
            R"({"done":true,"id":"7","success":true,"type":"rpc"})");
  EXPECT_EQ(result_frame("7", nullptr, true),
            R"({"done":true,"id":"7","result":null,"success":true,"type":"rpc"})");
  EXPECT_EQ(result_frame("7", {{"i", 0}}, false),
            R"({"done":false,"id":"7","result":{"i":0},"success":true,"type":"rpc"})");
}

TEST(ServerFrame, IsAlwaysValidJson) {
  EXPECT_EQ(json::parse(failure_frame("a\"\n", "caf\xC3"))["error"], "caf\xEF\xBF\xBD");
  EXPECT_EQ(json::parse(state_error_frame("no \"x\""))["error"], "no \"x\"");
  EXPECT_EQ(json::parse(mcp_servers_frame)["type"], "cf_agent_mcp_servers");
}

}  // namespace
}  // namespace ringroom::codec::agents
