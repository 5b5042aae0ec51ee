#include "agent/queued_messages.h"

#include <string>

#include <gtest/gtest.h>

namespace ringroom::agent_runtime {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

BatchedMessage message(std::string_view type, std::string_view payload, std::string_view key = {}) {
  return {.type = type, .payload = bytes_of(payload), .key = key, .kind = PayloadKind::text};
}

TEST(QueuedMessages, KeepsACopy) {
  QueuedMessages messages;
  std::string payload = "payload";
  const auto id = messages.add(message("type", payload, "key"), 100);
  payload = "changed";
  const BatchedMessage kept = messages.view(id, 142);
  EXPECT_EQ(kept.type, "type");
  EXPECT_EQ(kept.text(), "payload");
  EXPECT_EQ(kept.key, "key");
  EXPECT_EQ(kept.age_ms, 42U);
  EXPECT_EQ(kept.kind, PayloadKind::text);
}

TEST(QueuedMessages, AgeIsNeverNegative) {
  QueuedMessages messages;
  const auto id = messages.add(message("t", "p"), 100);
  EXPECT_EQ(messages.view(id, 50).age_ms, 0U);
}

TEST(QueuedMessages, UsesThePlaceOfOneThatIsGone) {
  QueuedMessages messages;
  const auto first = messages.add(message("t", "one"), 0);
  messages.retain(first);
  messages.release(first);
  const auto second = messages.add(message("t", "two"), 0);
  EXPECT_NE(first, second);
  messages.release(first);
  const auto third = messages.add(message("t", "three"), 0);
  EXPECT_EQ(third, first);
  EXPECT_EQ(messages.view(second, 0).text(), "two");
  EXPECT_EQ(messages.view(third, 0).text(), "three");
}

TEST(QueuedMessages, EqualKeysHaveOneNumber) {
  QueuedMessages messages;
  const auto a = messages.add(message("t", "1", "a"), 0);
  const auto b = messages.add(message("t", "2", "b"), 0);
  const auto again = messages.add(message("t", "3", "a"), 0);
  const auto reliable = messages.add(message("t", "4"), 0);
  EXPECT_EQ(messages.key(a), messages.key(again));
  EXPECT_NE(messages.key(a), messages.key(b));
  EXPECT_EQ(messages.key(reliable), QueuedMessages::no_key);
  EXPECT_LT(messages.key(b), messages.keys_end());
}

TEST(QueuedMessages, KeysOfNobodyAreForgotten) {
  QueuedMessages messages;
  for (int i = 0; i < 1000; ++i) {
    messages.release(messages.add(message("t", "p", "key" + std::to_string(i)), 0));
  }
  EXPECT_EQ(messages.keys_end(), 1U);
}

TEST(QueuedMessages, CountsWhatAMessageTakes) {
  QueuedMessages messages;
  const auto small = messages.add(message("t", "p"), 0);
  const auto large = messages.add(message("t", std::string(1000, 'p')), 0);
  EXPECT_EQ(messages.bytes(large) - messages.bytes(small), 999U);
}

}  // namespace
}  // namespace ringroom::agent_runtime
