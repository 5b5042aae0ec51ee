#include "codec/envelope/base64.h"
#include "codec/envelope/envelope.h"
#include "ringroom/limits.h"
#include "samples.h"

#include <gtest/gtest.h>

namespace ringroom::codec::envelope {
namespace {

using namespace testing;
using Outcome = JsonReader::Outcome;

struct Read {
  Outcome outcome;
  std::string fault;
  std::vector<Owned> messages;
};

Read read_text(std::string_view text) {
  JsonReader reader;
  Batch batch;
  const JsonReader::Result result = reader.read(text, batch);
  return {result.outcome, std::string(result.fault), copies(batch)};
}

TEST(JsonEnvelope, ReadsWhatItWrites) {
  const std::string text = json_text(golden_head, golden_messages);
  JsonReader reader;
  for (int again = 0; again < 2; ++again) {
    Batch batch;
    ASSERT_EQ(reader.read(text, batch).outcome, Outcome::envelope);
    EXPECT_EQ(batch.timestamp_ms(), golden_head.timestamp_ms);
    EXPECT_EQ(batch.sequence(), golden_head.sequence);
    EXPECT_EQ(batch.missed(), golden_head.missed);
    EXPECT_EQ(copies(batch), golden_messages);
    reader.trim();
  }
}

TEST(JsonEnvelope, ReadsTheDocumentedForm) {
  const Read result = read_text(
      R"({"messages":[{"type":"a","payload":{"x": [1, 2]}},{"type":"b","payload":"text\n"},)"
      R"({"type":"c","payload": 12 },{"type":"d","payload":null},{"type":"e"},)"
      R"({"type":"f","payload":[true] , "more":{}}],"timestamp":1767225600000.5})");
  ASSERT_EQ(result.outcome, Outcome::envelope) << result.fault;
  const std::vector<Owned> expected = {
      {"a", R"({"x": [1, 2]})", "", 0, PayloadKind::json_value},
      {"b", "text\n", "", 0, PayloadKind::text},
      {"c", "12", "", 0, PayloadKind::json_value},
      {"d", "null", "", 0, PayloadKind::json_value},
      {"e", "", "", 0, PayloadKind::bytes},
      {"f", "[true]", "", 0, PayloadKind::json_value},
  };
  EXPECT_EQ(result.messages, expected);
}

TEST(JsonEnvelope, ReadsFieldsInAnyOrder) {
  const Read result = read_text(
      R"({"timestamp":1,"messages":[{"payload":{"a":1},"key":"k","type":"t"}],"new":[]})");
  ASSERT_EQ(result.outcome, Outcome::envelope) << result.fault;
  EXPECT_EQ(result.messages,
            (std::vector<Owned>{{"t", R"({"a":1})", "k", 0, PayloadKind::json_value}}));
}

TEST(JsonEnvelope, LeavesOtherMessagesAlone) {
  EXPECT_EQ(read_text(R"({"type":"rpc","id":"1","method":"add","args":[1]})").outcome,
            Outcome::message);
}

TEST(JsonEnvelope, RefusesWhatIsNone) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "Not JSON"},
      {"hello", "Not JSON"},
      {R"({"messages":[)", "Not JSON"},
      {R"({"messages":[{"type":"a","payload":tru}]})", "Not JSON"},
      {"[]", "Not an envelope: an object with messages"},
      {"{}", "Not an envelope: an object with messages"},
      {R"({"type":5})", "Not an envelope: an object with messages"},
      {R"({"messages":"x"})", "Envelope field of the wrong type"},
      {R"({"messages":[],"messages":[]})", "Envelope field of the wrong type"},
      {R"({"messages":[],"timestamp":"now"})", "Envelope field of the wrong type"},
      {R"({"messages":[],"timestamp":-1})", "Envelope field of the wrong type"},
      {R"({"messages":[1]})", "Envelope message without a type"},
      {R"({"messages":[{"payload":1}]})", "Envelope message without a type"},
      {R"({"messages":[{"type":1}]})", "Envelope field of the wrong type"},
      {R"({"messages":[{"type":"a","age":4294967296}]})", "Envelope field of the wrong type"},
      {R"({"messages":[{"type":"a","payload":1,"payload":2}]})",
       "Envelope field of the wrong type"},
      {R"({"messages":[{"type":"a","p\u0061yload":1}]})", "Envelope field of the wrong type"},
      {R"({"messages":[{"type":"a","payload":"?","encoding":"base64"}]})",
       "Envelope payload is not base64"},
      {R"({"messages":[{"type":"a","payload":"x","encoding":"hex"}]})",
       "Envelope payload is not base64"},
      {R"({"messages":[{"type":"a","payload":{"messages":[],"timestamp":1}}]})",
       "Envelope inside an envelope"},
      {R"({"messages":[{"type":")" + std::string(256, 't') + R"("}]})",
       "Envelope message type or key is longer than 255 bytes"},
  };
  for (const auto& [text, fault] : cases) {
    const Read result = read_text(text);
    EXPECT_EQ(result.outcome, Outcome::malformed) << text;
    EXPECT_EQ(result.fault, fault) << text;
  }
}

TEST(JsonEnvelope, RefusesTooManyMessages) {
  const auto envelope = [](std::size_t messages) {
    std::string text = R"({"messages":[{"type":"t"})";
    for (std::size_t i = 1; i < messages; ++i) text += R"(,{"type":"t"})";
    return text + "]}";
  };
  EXPECT_EQ(read_text(envelope(limits::envelope_messages_max)).outcome, Outcome::envelope);
  EXPECT_EQ(read_text(envelope(limits::envelope_messages_max + 1)).fault,
            "Envelope has too many messages");
}

TEST(JsonEnvelope, EscapesWhatJsonAsksFor) {
  const std::vector<Owned> messages = {
      {"\"\\", std::string("\x00\x1f\n\r\t/", 6), "", 0, PayloadKind::text}};
  EXPECT_EQ(json_text({.timestamp_ms = 1, .sequence = 2}, messages),
            R"({"messages":[{"type":"\"\\","payload":"\u0000\u001f\n\r\t/"}],)"
            R"("timestamp":1,"sequence":2})");
  EXPECT_EQ(read_text(json_text({}, messages)).messages, messages);
}

TEST(Base64, RoundTrips) {
  for (std::size_t size = 0; size < 20; ++size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 37 + size);
    std::vector<std::byte> text;
    append_base64(text, bytes);
    std::vector<std::byte> back;
    ASSERT_TRUE(decode_base64(text_of(text), back));
    EXPECT_EQ(back, bytes);
  }
}

TEST(Base64, RefusesWhatIsNone) {
  std::vector<std::byte> bytes;
  for (const std::string_view text : {"A", "AA", "AAA", "A===", "====", "AA=A", "=AAA", "AA A",
                                      "AAA\n", "AAAA    ", "AA-_", "AAAA----"}) {
    EXPECT_FALSE(decode_base64(text, bytes)) << text;
  }
}

}  // namespace
}  // namespace ringroom::codec::envelope
