#include "codec/agents/client_frame.h"

#include <gtest/gtest.h>

namespace ringroom::codec::agents {
namespace {

ClientFrame read(std::string_view text) {
  ClientFrameReader reader;
  return reader.read(text);
}

bool is_frame(std::string_view text) {
  return !std::holds_alternative<std::monostate>(read(text));
}

TEST(ClientFrame, ReadsAStateUpdate) {
  const auto frame = read(R"({"state":{"counter":7,"tags":["a",null]},"type":"cf_agent_state"})");
  ASSERT_TRUE(std::holds_alternative<StateUpdate>(frame));
  EXPECT_EQ(std::get<StateUpdate>(frame).state, json::parse(R"({"counter":7,"tags":["a",null]})"));
}

TEST(ClientFrame, TakesFalsyStatesForStates) {
  for (const char* state : {"null", "0", "false", "\"\"", "[]"}) {
    const auto frame = read(std::string(R"({"type":"cf_agent_state","state":)") + state + "}");
    ASSERT_TRUE(std::holds_alternative<StateUpdate>(frame)) << state;
    EXPECT_EQ(std::get<StateUpdate>(frame).state, json::parse(state));
  }
}

TEST(ClientFrame, ReadsACall) {
  const auto frame =
      read(R"({"args":[2,-3.5,"x",{"y":[true]}],"id":"i","method":"m","type":"rpc"})");
  ASSERT_TRUE(std::holds_alternative<Call>(frame));
  const Call& call = std::get<Call>(frame);
  EXPECT_EQ(call.id, "i");
  EXPECT_EQ(call.method, "m");
  EXPECT_EQ(json(call.args), json::parse(R"([2,-3.5,"x",{"y":[true]}])"));
}

TEST(ClientFrame, KeepsNumbersThatJavaScriptWrites) {
  const auto frame = read(R"({"state":[18446744073709552000,1e21,-9223372036854775808],)"
                          R"("type":"cf_agent_state"})");
  ASSERT_TRUE(std::holds_alternative<StateUpdate>(frame));
  const json& state = std::get<StateUpdate>(frame).state;
  EXPECT_EQ(state[0].get<double>(), 18446744073709552000.0);
  EXPECT_EQ(state[1].get<double>(), 1e21);
  EXPECT_EQ(state[2], INT64_MIN);
}

TEST(ClientFrame, TakesTheLastOfEqualKeys) {
  const auto frame = read(R"({"type":"x","state":1,"state":2,"type":"cf_agent_state"})");
  ASSERT_TRUE(std::holds_alternative<StateUpdate>(frame));
  EXPECT_EQ(std::get<StateUpdate>(frame).state, 2);
}

TEST(ClientFrame, LeavesEverythingElseToTheApplication) {
  for (const char* text : {
           "",
           "{",
           "null",
           "7",
           "[]",
           R"(["rpc"])",
           "{not json",
           R"({"type":"cf_agent_state"})",
           R"({"type":"CF_AGENT_STATE","state":1})",
           R"({"type":"cf_agent_identity","name":"x"})",
           R"({"type":"rpc"})",
           R"({"type":"rpc","id":"1","method":"add"})",
           R"({"type":"rpc","id":"1","method":"add","args":"x"})",
           R"({"type":"rpc","id":"1","method":"add","args":{"0":1}})",
           R"({"type":"rpc","id":1,"method":"add","args":[1,2]})",
           R"({"type":"rpc","id":"1","method":7,"args":[]})",
           R"({"type":"RPC","id":"1","method":"add","args":[1,2]})",
           R"({"type":7,"id":"1","method":"add","args":["rpc"]})",
           R"({"type":"rpc","id":"1","method":"add","args":[1,2]} x)",
           R"({"type":"rpc","id":"1","method":"add","args":[tru]})",
       }) {
    EXPECT_FALSE(is_frame(text)) << text;
  }
}

TEST(ClientFrame, RefusesWhatIsNestedTooDeeply) {
  const std::string deep = std::string(5000, '[') + "18446744073709552000" + std::string(5000, ']');
  EXPECT_FALSE(is_frame(R"({"type":"cf_agent_state","state":)" + deep + "}"));
}

TEST(ClientFrame, IsReadAgainAfterALargeOne) {
  ClientFrameReader reader;
  const std::string large(1 << 20, 'x');
  EXPECT_TRUE(std::holds_alternative<StateUpdate>(
      reader.read(R"({"type":"cf_agent_state","state":")" + large + "\"}")));
  EXPECT_TRUE(
      std::holds_alternative<StateUpdate>(reader.read(R"({"type":"cf_agent_state","state":1})")));
}

TEST(ClientFrame, IsSuspectedWhereverItsTypeStands) {
  for (std::size_t before = 0; before < 70; ++before) {
    const std::string blanks(before, ' ');
    EXPECT_TRUE(may_be_client_frame("{" + blanks + R"("type":"rpc"})")) << before;
    EXPECT_TRUE(may_be_client_frame("{" + blanks + R"("a":1,"type":"cf_agent_state"})")) << before;
    EXPECT_TRUE(may_be_client_frame(blanks + R"({"type":"rpc"})")) << before;
  }
}

TEST(ClientFrame, IsNotSuspectedInOtherText) {
  EXPECT_FALSE(may_be_client_frame(""));
  EXPECT_FALSE(may_be_client_frame("\"rpc\""));
  EXPECT_FALSE(may_be_client_frame("hello {\"type\":\"rpc\"}"));
  for (std::size_t more = 0; more < 40; ++more) {
    const std::string text = R"({"type":"chat","text":"rpc )" + std::string(more, 'c') + R"("})";
    EXPECT_FALSE(may_be_client_frame(text)) << text;
  }
}

}  // namespace
}  // namespace ringroom::codec::agents
