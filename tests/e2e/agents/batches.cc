// Agents for the tests of envelopes. Batcher does what a script says, in one callback: queue, send,
// flush, broadcast, close. Patient* are the same with other answers to a client that doesn't read.
#include <ringroom/ringroom.h>

using namespace ringroom;

namespace {

// Steps: ["q", value], ["k", key, value], ["s", value], ["b", value], ["f"], ["c"], ["limits", ms,
// messages],
// ["fill", first, count, bytes], ["keys", first, count, bytes].
class Scripted : public Agent {
 public:
  using Agent::Agent;

  void on_message(Connection& from, Message message) override {
    if (message.is_batched()) {
      from.send(json{{"got", message.type()},
                     {"key", message.key()},
                     {"text", message.is_text()},
                     {"payload", message.is_text() ? std::string(message.text()) : "bytes"}});
      if (message.type() == "throw") throw std::runtime_error("as asked");
      if (message.type() == "close") from.close(CloseCode::normal);
      return;
    }
    const json script = json::parse(message.text());
    for (const json& step : script.at("steps")) run(from, step);
  }

 private:
  void run(Connection& from, const json& step) {
    const auto& op = step.at(0).get_ref<const std::string&>();
    if (op == "q") from.queue("q", step.at(1));
    if (op == "k") from.queue("k", step.at(2), step.at(1).get<std::string>());
    if (op == "s") from.send(json{{"plain", step.at(1)}});
    if (op == "b") broadcast_queued("b", step.at(1));
    if (op == "f") from.flush();
    if (op == "F") flush();
    if (op == "c") from.close(CloseCode::normal, "as scripted");
    if (op == "limits") {
      from.set_batching({.flush_after_ms = step.at(1), .messages_max = step.at(2)});
    }
    if (op == "text") from.queue("text", step.at(1).get<std::string>());
    if (op == "bytes") {
      from.queue("bytes", std::as_bytes(std::span(step.at(1).get_ref<const std::string&>())));
    }
    if (op == "fill" || op == "keys") fill(op == "keys", step.at(1), step.at(2), step.at(3));
  }

  // Numbered messages for everybody.
  void fill(bool keyed, int first, int count, std::size_t bytes) {
    const std::string padding(bytes, 'x');
    for (int n = first; n < first + count; ++n) {
      const std::string key = keyed ? "key" + std::to_string(n % 4) : "";
      broadcast_queued("fill", json{{"n", n}, {"padding", padding}}, {.key = key});
    }
  }
};

}  // namespace

class Batcher final : public Scripted {
 public:
  using Scripted::Scripted;
  static constexpr AgentOptions options{.batching = {.flush_after_ms = 20}};
};
RINGROOM_AGENT(Batcher)

class PatientNewest final : public Scripted {
 public:
  using Scripted::Scripted;
  static constexpr AgentOptions options{.outbox_full = OutboxFull::drop_newest};
};
RINGROOM_AGENT(PatientNewest)

class PatientOldest final : public Scripted {
 public:
  using Scripted::Scripted;
  static constexpr AgentOptions options{.outbox_full = OutboxFull::drop_oldest};
};
RINGROOM_AGENT(PatientOldest)

// All of its clients get envelopes, and it sees theirs as a whole.
class Wholesale final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.batching = {.format = BatchFormat::json_text}};

  void on_batch(Connection& from, Batch batch) override {
    json types = json::array();
    for (const BatchedMessage message : batch) types.push_back(message.type);
    from.queue("types", types);
    from.queue("head", json{{"sequence", batch.sequence()},
                            {"timestamp", batch.timestamp_ms()},
                            {"missed", batch.missed()},
                            {"size", batch.size()}});
  }
};
RINGROOM_AGENT(Wholesale)
