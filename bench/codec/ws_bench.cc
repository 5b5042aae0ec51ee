// What a frame costs in the WebSocket codec alone: unmasking, decoding a stream of small masked
// frames, writing a header, checking UTF-8, inflating and deflating a small message.
#include "codec/ws/decoder.h"
#include "codec/ws/deflate.h"
#include "codec/ws/encoder.h"
#include "codec/ws/mask.h"
#include "codec/ws/utf8.h"

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

namespace ringroom::codec::ws {
namespace {

void set_bytes(benchmark::State& state, std::size_t bytes_each) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes_each));
}

void bench_unmask(benchmark::State& state) {
  std::vector<std::byte> data(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    unmask(data.data(), data.size(), 0x1234abcd);
    benchmark::ClobberMemory();
  }
  set_bytes(state, data.size());
}
BENCHMARK(bench_unmask)->Arg(16)->Arg(64)->Arg(1024)->Arg(65536);

/// Frames of a client, one behind the other as a receive buffer has them.
std::vector<std::byte> frames(Opcode opcode, std::size_t payload_bytes, std::size_t count) {
  constexpr MaskKey key = 0x5ca1ab1e;
  std::vector<std::byte> wire;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<std::byte, header_bytes_max> header{};
    const std::size_t size = encode_masked_header(header.data(), opcode, payload_bytes, key);
    std::vector<std::byte> payload(payload_bytes, std::byte{'x'});
    unmask(payload.data(), payload.size(), key);
    wire.insert(wire.end(), header.begin(), header.begin() + static_cast<std::ptrdiff_t>(size));
    wire.insert(wire.end(), payload.begin(), payload.end());
  }
  return wire;
}

/// A buffer full of frames, decoded until it needs more. The copy that renews the wire is timed
/// apart in bench_copy_wire.
void bench_decode(benchmark::State& state, Opcode opcode) {
  constexpr std::size_t frames_each = 200;
  const DecoderOptions options{.message_bytes_max = std::size_t{4} << 20U};
  const std::vector<std::byte> wire =
      frames(opcode, static_cast<std::size_t>(state.range(0)), frames_each);
  std::vector<std::byte> buffer(wire.size());
  Decoder decoder;
  for (auto _ : state) {
    std::memcpy(buffer.data(), wire.data(), wire.size());
    std::span<std::byte> input(buffer);
    std::size_t seen = 0;
    for (;;) {
      const Event event = decoder.next(input, options);
      if (event.kind != Event::Kind::message) {
        break;
      }
      seen += event.payload.size();
    }
    benchmark::DoNotOptimize(seen);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(frames_each));
}
BENCHMARK_CAPTURE(bench_decode, text, Opcode::text)->Arg(16)->Arg(64)->Arg(1024);
BENCHMARK_CAPTURE(bench_decode, binary, Opcode::binary)->Arg(16)->Arg(64)->Arg(1024);

void bench_copy_wire(benchmark::State& state) {
  constexpr std::size_t frames_each = 200;
  const std::vector<std::byte> wire =
      frames(Opcode::binary, static_cast<std::size_t>(state.range(0)), frames_each);
  std::vector<std::byte> buffer(wire.size());
  for (auto _ : state) {
    std::memcpy(buffer.data(), wire.data(), wire.size());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(frames_each));
}
BENCHMARK(bench_copy_wire)->Arg(16)->Arg(64)->Arg(1024);

void bench_encode_header(benchmark::State& state) {
  std::array<std::byte, header_bytes_max> out{};
  auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(size);
    benchmark::DoNotOptimize(encode_header(out.data(), Opcode::text, size));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(bench_encode_header)->Arg(64)->Arg(1024)->Arg(70000);

void bench_utf8(benchmark::State& state, std::string_view character) {
  std::string text;
  while (text.size() < static_cast<std::size_t>(state.range(0))) {
    text += character;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(is_valid_utf8(std::as_bytes(std::span(text))));
    benchmark::ClobberMemory();
  }
  set_bytes(state, text.size());
}
BENCHMARK_CAPTURE(bench_utf8, ascii, "a")->Arg(16)->Arg(64)->Arg(128)->Arg(1024)->Arg(65536);
BENCHMARK_CAPTURE(bench_utf8, greek, "\xce\xb1")->Arg(16)->Arg(64)->Arg(1024)->Arg(65536);

constexpr std::string_view chat_message =
    R"({"type":"message","user":"Anonymous","text":"so, shall we play another round?"})";

void bench_deflate(benchmark::State& state) {
  Deflater deflater;
  std::vector<std::byte> out;
  for (auto _ : state) {
    deflater.deflate(std::as_bytes(std::span(chat_message)), out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(bench_deflate);

void bench_inflate(benchmark::State& state) {
  Deflater deflater;
  Inflater inflater;
  std::vector<std::byte> wire;
  std::vector<std::byte> out;
  deflater.deflate(std::as_bytes(std::span(chat_message)), wire);
  for (auto _ : state) {
    benchmark::DoNotOptimize(inflater.inflate(wire, out, 4096));
  }
}
BENCHMARK(bench_inflate);

}  // namespace
}  // namespace ringroom::codec::ws
