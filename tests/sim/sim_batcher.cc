#include "sim_batcher.h"

#include "base/assert.h"
#include "base/random.h"

#include <span>

namespace ringroom::sim {

namespace {

Dispatches* current_dispatches = nullptr;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// What a connection without envelopes gets comes by itself.
bool comes_plain(const Connection& to) {
  return to.batch_format() == BatchFormat::none;
}

std::string_view key_of(const char& key) {
  return key == 0 ? std::string_view() : std::string_view(&key, 1);
}

}  // namespace

Dispatches::Dispatches() {
  ASSERT(current_dispatches == nullptr);
  current_dispatches = this;
}

Dispatches::~Dispatches() {
  current_dispatches = nullptr;
}

Dispatches& Dispatches::current() {
  ASSERT(current_dispatches != nullptr);
  return *current_dispatches;
}

PayloadKind Dispatches::kind(std::uint64_t value) {
  return static_cast<PayloadKind>(value % 3);
}

// Most are small; one in ten is of any size up to 1,500.
std::string Dispatches::payload(std::uint64_t value) {
  base::Random random(value);
  const std::size_t padding = random.next() % (random.next() % 10 == 0 ? 1500 : 40);
  const std::string number = std::to_string(value);
  if (kind(value) == PayloadKind::json_value) {
    return "[" + number + ",\"" + std::string(padding, 'j') + "\"]";
  }
  return number + ":" + std::string(padding, kind(value) == PayloadKind::text ? 't' : 'b');
}

void SimBatcher::handle(Connection& from, Message message) {
  const std::string_view text = message.text();
  const std::size_t begin = text.find(script_begins);
  const std::size_t end = text.find(script_ends);
  if (begin == std::string_view::npos || end == std::string_view::npos) return;
  const std::string script(text.substr(begin, end - begin));
  Dispatches::current().heard(from, script);
  run(from, script);
}

void SimBatcher::run(Connection& from, std::string_view script) {
  for (std::size_t i = 0; i < script.size(); ++i) {
    const char operand = i + 1 < script.size() ? script[i + 1] : 'a';
    switch (script[i]) {
      case 'q': queue(from, 0); break;
      case 'k': queue(from, operand); break;
      case 'b': queue_for_all(0); break;
      case 'c': queue_for_all(operand); break;
      case 'f': from.flush(); break;
      case 'F': flush(); break;
      case 'l': limit(from, operand); break;
      case 'x': from.close(4001, "as you wish"); return;
      case 's': {
        const std::uint64_t value = Dispatches::current().next_value();
        if (from.send(Dispatches::payload(value)) == SendResult::queued) {
          Dispatches::current().owe(from, {value, 0, true});
        }
        break;
      }
      case 'p': {
        const std::uint64_t value = Dispatches::current().next_value();
        for (const Connection& to : connections()) {
          Dispatches::current().owe(to, {value, 0, true});
        }
        broadcast(Dispatches::payload(value));
        break;
      }
      default: break;
    }
  }
}

// What is dropped is owed, too: the gap marker must tell of it.
void SimBatcher::queue(Connection& to, char key) {
  const std::uint64_t value = Dispatches::current().next_value();
  const std::string payload = Dispatches::payload(value);
  SendResult result = SendResult::closed;
  switch (Dispatches::kind(value)) {
    case PayloadKind::bytes: result = to.queue("q", bytes_of(payload), key_of(key)); break;
    case PayloadKind::text: result = to.queue("q", payload, key_of(key)); break;
    case PayloadKind::json_value: result = to.queue("q", json::parse(payload), key_of(key)); break;
  }
  if (result != SendResult::closed) {
    Dispatches::current().owe(to, {value, key, comes_plain(to)});
  }
}

void SimBatcher::queue_for_all(char key) {
  const std::uint64_t value = Dispatches::current().next_value();
  const std::string payload = Dispatches::payload(value);
  for (const Connection& to : connections()) {
    Dispatches::current().owe(to, {value, key, comes_plain(to)});
  }
  const std::string name(key_of(key));
  switch (Dispatches::kind(value)) {
    case PayloadKind::bytes: broadcast_queued("b", bytes_of(payload), {.key = name}); break;
    case PayloadKind::text: broadcast_queued("b", payload, {.key = name}); break;
    case PayloadKind::json_value: broadcast_queued("b", json::parse(payload), {.key = name}); break;
  }
}

// 0: at once; up to 9: as good as never, so that only flushes and sleep send what is queued.
void SimBatcher::limit(Connection& connection, char digit) {
  constexpr std::uint32_t milliseconds[] = {0, 1, 5, 50, 3'600'000};
  const auto number = static_cast<unsigned>(digit - '0') % 10;
  connection.set_batching({.flush_after_ms = milliseconds[number / 2],
                           .messages_max = number % 2 == 0 ? 3U : 1000U,
                           .bytes_max = number == 5 ? 500U : 16'384U});
}

std::vector<detail::AgentClassInfo> batcher_classes() {
  return {detail::describe_class<SimBatcher>("SimBatcher"),
          detail::describe_class<SimBatcherNewest>("SimBatcherNewest"),
          detail::describe_class<SimBatcherOldest>("SimBatcherOldest")};
}

}  // namespace ringroom::sim
