// Fuzz target: text messages through the reader of client frames. What it says must be what a plain
// reading of the JSON says, and the quick look before it must not miss a frame.
#include "base/assert.h"
#include "codec/agents/client_frame.h"
#include "codec/ws/utf8.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

namespace {

using ringroom::json;
using ringroom::codec::agents::Call;
using ringroom::codec::agents::ClientFrame;
using ringroom::codec::agents::ClientFrameReader;
using ringroom::codec::agents::may_be_client_frame;
using ringroom::codec::agents::StateUpdate;

bool is_string(const json& object, const char* key) {
  return object.contains(key) && object[key].is_string();
}

// The same by the rules as they are written down (agents-wire §5).
void check(const ClientFrame& frame, const json& message) {
  const bool is_object = message.is_object() && is_string(message, "type");
  const bool is_update =
      is_object && message["type"] == "cf_agent_state" && message.contains("state");
  const bool is_call = is_object && message["type"] == "rpc" && is_string(message, "id") &&
                       is_string(message, "method") && message.contains("args") &&
                       message["args"].is_array();
  ASSERT(std::holds_alternative<StateUpdate>(frame) == is_update);
  ASSERT(std::holds_alternative<Call>(frame) == is_call);
  if (is_update) ASSERT(std::get<StateUpdate>(frame).state == message["state"]);
  if (is_call) {
    const Call& call = std::get<Call>(frame);
    ASSERT(call.id == message["id"] && call.method == message["method"]);
    ASSERT(json(call.args) == message["args"]);
  }
}

std::size_t depth_of(std::string_view text) {
  std::size_t brackets = 0;
  for (const char each : text) {
    if (each == '[' || each == '{') ++brackets;
  }
  return brackets;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
  if (!ringroom::codec::ws::is_valid_utf8(bytes)) return 0;  // never gets that far
  static ClientFrameReader reader;
  const ClientFrame frame = reader.read(text);
  if (depth_of(text) < 1000) check(frame, json::parse(text, nullptr, false));
  if (!std::holds_alternative<std::monostate>(frame) && text.find('\\') == std::string_view::npos) {
    ASSERT(may_be_client_frame(text));
  }
  return 0;
}
