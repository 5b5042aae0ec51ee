// What a logical message costs in the envelope codec: checking an envelope of 100 messages of 32
// bytes and handing each to a virtual handler, packing one, and the same in JSON.
#include "codec/envelope/envelope.h"

#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <envelope_generated.h>

namespace ringroom::codec::envelope {
namespace {

constexpr std::size_t messages_each = 100;

class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_message(const BatchedMessage& message) = 0;
};

class Adder final : public Handler {
 public:
  void on_message(const BatchedMessage& message) override {
    sum_ += message.payload.size() + message.type.size() +
            std::to_integer<std::size_t>(message.payload[0]);
  }
  std::size_t sum() const { return sum_; }

 private:
  std::size_t sum_ = 0;
};

std::vector<BatchedMessage> samples(PayloadKind kind, bool keyed) {
  static const std::string payload = R"({"x":1234.5,"y":-17.25,"hit":42})";  // JSON too
  static std::vector<std::string> keys;
  std::vector<BatchedMessage> messages;
  if (keys.empty()) {
    for (std::size_t i = 0; i < messages_each; ++i) keys.push_back("player/" + std::to_string(i));
  }
  for (std::size_t i = 0; i < messages_each; ++i) {
    BatchedMessage& message = messages.emplace_back();
    message.type = "position";
    message.payload = std::as_bytes(std::span(payload));
    message.kind = kind;
    if (keyed) message.key = keys[i];
  }
  return messages;
}

void per_message(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(messages_each));
  state.counters["per_message"] = benchmark::Counter(
      static_cast<double>(messages_each),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void bench_unpack_flat(benchmark::State& state) {
  std::vector<std::byte> wire;
  append_flat(wire, {}, samples(PayloadKind::bytes, state.range(0) != 0));
  JsonReader json;
  Adder adder;
  Handler* handler = &adder;
  benchmark::DoNotOptimize(handler);
  for (auto _ : state) {
    Batch batch;
    if (!read_flat(wire, json, batch).empty()) state.SkipWithError("refused");
    for (const BatchedMessage message : batch) handler->on_message(message);
  }
  benchmark::DoNotOptimize(adder.sum());
  per_message(state);
}
BENCHMARK(bench_unpack_flat)->ArgName("keyed")->Arg(0)->Arg(1);

void bench_pack_flat(benchmark::State& state) {
  const std::vector<BatchedMessage> messages = samples(PayloadKind::bytes, state.range(0) != 0);
  std::vector<std::byte> out;
  for (auto _ : state) {
    out.clear();
    append_flat(out, {.timestamp_ms = 1, .sequence = 2}, messages);
    benchmark::DoNotOptimize(out.data());
  }
  per_message(state);
}
BENCHMARK(bench_pack_flat)->ArgName("keyed")->Arg(0)->Arg(1);

/// The same by the library's builder, which ours stands in for.
void bench_pack_by_builder(benchmark::State& state) {
  const std::vector<BatchedMessage> messages = samples(PayloadKind::bytes, false);
  flatbuffers::FlatBufferBuilder builder(16384);
  std::vector<flatbuffers::Offset<wire::Message>> tables;
  for (auto _ : state) {
    builder.Clear();
    tables.clear();
    const auto type = builder.CreateString(messages[0].type.data(), messages[0].type.size());
    for (const BatchedMessage& message : messages) {
      const auto payload = builder.CreateVector(
          reinterpret_cast<const std::uint8_t*>(message.payload.data()), message.payload.size());
      tables.push_back(wire::CreateMessage(builder, type, payload));
    }
    const auto all = builder.CreateVector(tables);
    wire::FinishEnvelopeBuffer(builder, wire::CreateEnvelope(builder, 1, 2, all));
    benchmark::DoNotOptimize(builder.GetBufferPointer());
  }
  per_message(state);
}
BENCHMARK(bench_pack_by_builder);

void bench_unpack_json(benchmark::State& state) {
  std::vector<std::byte> wire;
  append_json(wire, {}, samples(static_cast<PayloadKind>(state.range(0)), false));
  const std::string_view text(reinterpret_cast<const char*>(wire.data()), wire.size());
  JsonReader reader;
  Adder adder;
  Handler* handler = &adder;
  benchmark::DoNotOptimize(handler);
  for (auto _ : state) {
    Batch batch;
    if (reader.read(text, batch).outcome != JsonReader::Outcome::envelope) {
      state.SkipWithError("refused");
    }
    for (const BatchedMessage message : batch) handler->on_message(message);
  }
  benchmark::DoNotOptimize(adder.sum());
  per_message(state);
}
// Base64, strings, values.
BENCHMARK(bench_unpack_json)->ArgName("kind")->Arg(0)->Arg(1)->Arg(2);

void bench_pack_json(benchmark::State& state) {
  const std::vector<BatchedMessage> messages =
      samples(static_cast<PayloadKind>(state.range(0)), false);
  std::vector<std::byte> out;
  for (auto _ : state) {
    out.clear();
    append_json(out, {.timestamp_ms = 1, .sequence = 2}, messages);
    benchmark::DoNotOptimize(out.data());
  }
  per_message(state);
}
BENCHMARK(bench_pack_json)->ArgName("kind")->Arg(0)->Arg(1)->Arg(2);

}  // namespace
}  // namespace ringroom::codec::envelope
