// permessage-deflate: the negotiation of any header, the inflation of any payload under a limit,
// and the way there and back of any message. The first byte of the input chooses.
#include "base/assert.h"
#include "codec/ws/deflate.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace ringroom::codec::ws {
namespace {

/// What is agreed must be what zlib can do, and the answer must itself read as such an agreement.
void run_negotiation(std::string_view header) {
  const std::optional<DeflateParameters> agreed = negotiate(header);
  if (agreed) {
    ASSERT(agreed->server_window_bits() >= deflate_window_bits_min);
    ASSERT(agreed->server_window_bits() <= window_bits_max);
    const std::optional<DeflateParameters> again = negotiate(agreed->header());
    ASSERT(again && again->header() == agreed->header());
  }
  const std::optional<DeflateParameters> accepted = accept_answer(header);
  ASSERT(!accepted || !accepted->client_max_window_bits);
}

/// The limit only cuts: with a higher one the same payload must do the same or get further.
void run_inflation(std::span<const std::byte> payload, std::size_t limit) {
  constexpr std::size_t high_limit = std::size_t{1} << 20U;
  Inflater inflater;
  std::vector<std::byte> low;
  std::vector<std::byte> high;
  const InflateStatus low_status = inflater.inflate(payload, low, limit);
  const InflateStatus high_status = inflater.inflate(payload, high, high_limit);
  ASSERT(low.size() <= limit && high.size() <= high_limit);
  if (high_status == InflateStatus::ok) {
    ASSERT(low_status == (high.size() <= limit ? InflateStatus::ok : InflateStatus::too_big));
  }
  ASSERT(low_status != InflateStatus::ok || (high_status == InflateStatus::ok && low == high));
}

void run_round_trip(std::span<const std::byte> message, int window_bits) {
  Deflater deflater;
  Inflater inflater;
  std::vector<std::byte> wire;
  std::vector<std::byte> out;
  deflater.deflate(message, wire, window_bits);
  ASSERT(inflater.inflate(wire, out, message.size()) == InflateStatus::ok);
  ASSERT(std::equal(out.begin(), out.end(), message.begin(), message.end()));
}

void run(std::span<const std::byte> input) {
  if (input.empty()) {
    return;
  }
  const auto choice = std::to_integer<unsigned>(input.front());
  const std::span<const std::byte> rest = input.subspan(1);
  if (choice % 3 == 0) {
    run_negotiation({reinterpret_cast<const char*>(rest.data()), rest.size()});
  } else if (choice % 3 == 1) {
    run_inflation(rest, std::size_t{choice} * 16);
  } else {
    run_round_trip(rest, deflate_window_bits_min + static_cast<int>(choice % 7));
  }
}

}  // namespace
}  // namespace ringroom::codec::ws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ringroom::codec::ws::run(std::as_bytes(std::span(data, size)));
  return 0;
}
