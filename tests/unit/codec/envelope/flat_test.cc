#include "codec/envelope/envelope.h"
#include "ringroom/limits.h"
#include "samples.h"

#include <random>

#include <envelope_generated.h>
#include <gtest/gtest.h>

namespace ringroom::codec::envelope {
namespace {

using namespace testing;

std::string_view fault_of(std::span<const std::byte> bytes) {
  Batch batch;
  return read(bytes, batch);
}

/// An envelope made by the library's own builder, with fields as wrong as wanted.
std::vector<std::byte> built(std::size_t messages,
                             std::string_view type,
                             std::string_view payload,
                             wire::Kind kind = wire::Kind::bytes,
                             bool shares_payload = false) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<wire::Message>> tables;
  const auto name = builder.CreateString(type.data(), type.size());
  const auto* data = reinterpret_cast<const std::uint8_t*>(payload.data());
  const auto shared = builder.CreateVector(data, payload.size());
  for (std::size_t i = 0; i < messages; ++i) {
    const auto own = shares_payload ? shared : builder.CreateVector(data, payload.size());
    tables.push_back(wire::CreateMessage(builder, name, own, 0, 0, kind));
  }
  const auto all = builder.CreateVector(tables);
  wire::FinishEnvelopeBuffer(builder, wire::CreateEnvelope(builder, 1, 2, all, 3));
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  return {bytes.begin(), bytes.end()};
}

TEST(FlatEnvelope, ReadsWhatItWrites) {
  const std::vector<std::byte> wire = flat(golden_head, golden_messages);
  Batch batch;
  ASSERT_EQ(read(wire, batch), "");
  EXPECT_EQ(batch.timestamp_ms(), golden_head.timestamp_ms);
  EXPECT_EQ(batch.sequence(), golden_head.sequence);
  EXPECT_EQ(batch.missed(), golden_head.missed);
  EXPECT_EQ(copies(batch), golden_messages);
}

TEST(FlatEnvelope, ReadsAnyMessagesThatItWrites) {
  std::mt19937 random(6);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<Owned> messages(below(round % 10 == 0 ? 300 : 12));
    for (Owned& message : messages) {
      message.type = std::string(below(9), static_cast<char>('a' + below(26)));
      message.payload = std::string(below(40), static_cast<char>(below(128)));
      if (below(3) == 0) message.key = std::string(1 + below(20), 'k');
      if (below(3) == 0) message.age_ms = below(100'000);
      message.kind = static_cast<PayloadKind>(below(3));
      if (message.kind == PayloadKind::json_value) message.payload = std::to_string(below(1000));
    }
    std::vector<std::byte> wire = flat({.sequence = random()}, messages);
    Batch batch;
    ASSERT_EQ(read(wire, batch), "");
    ASSERT_EQ(copies(batch), messages);
  }
}

TEST(FlatEnvelope, AppendsBehindWhatIsThere) {
  std::vector<std::byte> out(3);
  append_flat(out, {}, views(golden_messages));
  const std::vector<std::byte> alone = flat({}, golden_messages);
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), out.begin() + 3, out.end()));
}

TEST(FlatEnvelope, WritesEqualTypesOnce) {
  const std::string type(200, 't');
  const std::vector<Owned> messages(50, {type, "p", "", 0, PayloadKind::bytes});
  EXPECT_LT(flat({}, messages).size(), 2000U);
}

TEST(FlatEnvelope, ReadsWhatTheLibraryBuilds) {
  Batch batch;
  const std::vector<std::byte> wire = built(2, "t", "payload", wire::Kind::text);
  ASSERT_EQ(read(wire, batch), "");
  EXPECT_EQ(batch.missed(), 3U);
  const Owned expected{"t", "payload", "", 0, PayloadKind::text};
  EXPECT_EQ(copies(batch), (std::vector<Owned>{expected, expected}));
}

TEST(FlatEnvelope, TakesMissingFieldsForEmptyOnes) {
  flatbuffers::FlatBufferBuilder builder;
  wire::FinishEnvelopeBuffer(builder, wire::CreateEnvelope(builder));
  Batch batch;
  ASSERT_EQ(read(std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())), batch),
            "");
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.begin(), batch.end());
}

TEST(FlatEnvelope, TakesAnUnknownKindForBytes) {
  Batch batch;
  const std::vector<std::byte> wire = built(1, "t", "\xff", static_cast<wire::Kind>(99));
  ASSERT_EQ(read(wire, batch), "");
  EXPECT_EQ(batch[0].kind, PayloadKind::bytes);
}

TEST(FlatEnvelope, RefusesEveryTruncation) {
  const std::vector<std::byte> whole = flat(golden_head, golden_messages);
  for (std::size_t size = 0; size + 4 < whole.size(); ++size) {
    const std::vector<std::byte> cut(whole.begin(),
                                     whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(fault_of(cut), "") << size;
  }
}

TEST(FlatEnvelope, RefusesAnotherVersion) {
  std::vector<std::byte> wire = flat({}, {});
  wire[7] = std::byte{'2'};
  EXPECT_EQ(fault_of(wire), "Not an envelope of version 1");
}

TEST(FlatEnvelope, RefusesTooManyMessages) {
  EXPECT_EQ(fault_of(built(limits::envelope_messages_max, "t", "")), "");
  EXPECT_EQ(fault_of(built(limits::envelope_messages_max + 1, "t", "")),
            "Envelope has too many messages");
}

// A small frame must not stand for gigabytes of work.
TEST(FlatEnvelope, RefusesPayloadsThatOverlap) {
  const std::string large(1000, 'x');
  EXPECT_EQ(fault_of(built(3, "t", large)), "");
  EXPECT_EQ(fault_of(built(3, "t", large, wire::Kind::bytes, true)), "Envelope payloads overlap");
}

TEST(FlatEnvelope, RefusesLongOrBrokenTypes) {
  EXPECT_EQ(fault_of(built(1, std::string(255, 't'), "")), "");
  EXPECT_EQ(fault_of(built(1, std::string(256, 't'), "")),
            "Envelope message type is not UTF-8 of up to 255 bytes");
  EXPECT_EQ(fault_of(built(1, "\xc3", "")),
            "Envelope message type is not UTF-8 of up to 255 bytes");
}

TEST(FlatEnvelope, RefusesTextThatIsNotUtf8) {
  EXPECT_EQ(fault_of(built(1, "t", "\xff")), "");
  EXPECT_EQ(fault_of(built(1, "t", "\xff", wire::Kind::text)), "Envelope text is not UTF-8");
}

TEST(FlatEnvelope, RefusesJsonThatIsNone) {
  EXPECT_EQ(fault_of(built(1, "t", "[1]", wire::Kind::json)), "");
  for (const std::string_view payload : {"", "[1", "1}],", "x", "1 2"}) {
    EXPECT_EQ(fault_of(built(1, "t", payload, wire::Kind::json)), "Envelope payload is not JSON");
  }
}

TEST(FlatEnvelope, RefusesAnEnvelopeInside) {
  const std::vector<std::byte> inner = flat({}, golden_messages);
  EXPECT_EQ(fault_of(built(1, "t", text_of(inner))), "Envelope inside an envelope");
}

TEST(FlatEnvelope, ShiftsOverTheHeaderBefore) {
  alignas(alignment) std::array<std::byte, 64> buffer{};
  for (std::size_t offset = 0; offset < alignment; ++offset) {
    const std::span<std::byte> bytes = std::span(buffer).subspan(8 + offset, 16);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
    EXPECT_EQ(shift_to_alignment(bytes, offset == 0 ? 0 : offset - 1).data() != nullptr,
              offset == 0);
    const std::span<std::byte> shifted = shift_to_alignment(bytes, offset);
    EXPECT_EQ(shifted.data(), buffer.data() + 8);
    for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(shifted[i], static_cast<std::byte>(i));
  }
}

}  // namespace
}  // namespace ringroom::codec::envelope
