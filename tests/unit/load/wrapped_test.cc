// Stamps inside other frames: envelopes, and calls and states of the Agents protocol.
#include <ringroom/json.h>

#include "codec/agents/client_frame.h"
#include "codec/agents/server_frame.h"
#include "load/agent_frames.h"
#include "load/envelopes.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

Stamp stamp_of(std::uint32_t number, std::uint32_t bytes) {
  return {.sender = 3, .number = number, .slot = 1, .bytes = bytes, .intended_ns = 77};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

class EnvelopesIn : public testing::TestWithParam<BatchFormat> {};

TEST_P(EnvelopesIn, GiveBackWhatWasPacked) {
  const Stationery stationery(9, GetParam() == BatchFormat::json_text, 200);
  Envelopes envelopes(stationery, GetParam());
  const std::array stamps = {stamp_of(4, 64), stamp_of(5, 99), stamp_of(6, 200)};
  const std::span<const std::byte> packed = envelopes.pack(stamps);
  const std::vector<std::byte> frame(packed.begin(), packed.end());
  Batch batch;
  ASSERT_EQ(envelopes.read(frame, batch), Envelopes::Verdict::envelope);
  ASSERT_EQ(batch.size(), stamps.size());
  for (std::size_t i = 0; i < stamps.size(); ++i) {
    Stamp read;
    ASSERT_EQ(stationery.read(batch[i].payload, read), Stationery::Verdict::ours);
    EXPECT_EQ(read.number, stamps[i].number);
    EXPECT_EQ(read.bytes, stamps[i].bytes);
  }
}

TEST_P(EnvelopesIn, AreToldFromMessagesAndNonsense) {
  const Stationery stationery(9, GetParam() == BatchFormat::json_text, 64);
  Envelopes envelopes(stationery, GetParam());
  const std::array stamps = {stamp_of(1, 64)};
  const std::span<const std::byte> packed = envelopes.pack(stamps);
  std::vector<std::byte> frame(packed.begin(), packed.end());
  frame.resize(frame.size() / 2);
  Batch batch;
  EXPECT_EQ(envelopes.read(frame, batch), Envelopes::Verdict::malformed);
  const std::string alone = GetParam() == BatchFormat::json_text ? R"({"type":"m"})" : "0123456789";
  EXPECT_EQ(envelopes.read(bytes_of(alone), batch), Envelopes::Verdict::message);
}

INSTANTIATE_TEST_SUITE_P(BothForms,
                         EnvelopesIn,
                         testing::Values(BatchFormat::flatbuffers, BatchFormat::json_text));

class AgentFramesOf : public testing::Test {
 protected:
  Stationery stationery_{9, true, 64};
  AgentFrames frames_{stationery_, "add", "[1,2]"};
};

TEST_F(AgentFramesOf, ACallIsOneForTheServerAndItsAnswerCarriesTheStamp) {
  const std::string frame(frames_.call(stamp_of(4, 64)));
  codec::agents::ClientFrameReader server;
  const codec::agents::ClientFrame read = server.read(frame);
  const auto* call = std::get_if<codec::agents::Call>(&read);
  ASSERT_NE(call, nullptr) << frame;
  EXPECT_EQ(call->method, "add");
  EXPECT_EQ(call->args, (std::vector<json>{1, 2}));
  const std::string answer = codec::agents::result_frame(call->id, 3, true);
  const AgentFrames::Frame got = frames_.read(bytes_of(answer));
  ASSERT_EQ(got.kind, AgentFrames::Kind::answer);
  Stamp stamp;
  ASSERT_EQ(stationery_.read(got.stamp, stamp), Stationery::Verdict::ours);
  EXPECT_EQ(stamp.number, 4U);
}

TEST_F(AgentFramesOf, AStateIsOneForTheServerAndComesToOthers) {
  const std::string frame(frames_.state(stamp_of(8, 64)));
  codec::agents::ClientFrameReader server;
  const codec::agents::ClientFrame read = server.read(frame);
  const auto* update = std::get_if<codec::agents::StateUpdate>(&read);
  ASSERT_NE(update, nullptr) << frame;
  const std::string sent = codec::agents::state_frame(update->state.dump());
  const AgentFrames::Frame got = frames_.read(bytes_of(sent));
  ASSERT_EQ(got.kind, AgentFrames::Kind::state);
  Stamp stamp;
  ASSERT_EQ(stationery_.read(got.stamp, stamp), Stationery::Verdict::ours);
  EXPECT_EQ(stamp.number, 8U);
}

TEST_F(AgentFramesOf, RefusalsSayWhy) {
  const std::string refused = codec::agents::state_error_frame("no");
  const std::string failed = codec::agents::failure_frame("id", "boom");
  EXPECT_EQ(frames_.read(bytes_of(refused)).kind, AgentFrames::Kind::refusal);
  EXPECT_EQ(frames_.read(bytes_of(refused)).text, "no");
  EXPECT_EQ(frames_.read(bytes_of(failed)).text, "boom");
}

TEST_F(AgentFramesOf, WhatNobodyOfUsSentIsNothing) {
  const std::string identity = codec::agents::identity_frame("room", "counter-agent", true);
  const std::string state = codec::agents::state_frame(R"({"counter":0})");
  const std::string part = codec::agents::result_frame("id", 1, false);
  for (const std::string_view frame :
       {std::string_view(identity), std::string_view(state), std::string_view(part),
        std::string_view("{"), std::string_view("[]")}) {
    EXPECT_EQ(frames_.read(bytes_of(frame)).kind, AgentFrames::Kind::other) << frame;
  }
}

}  // namespace
}  // namespace ringroom::load
