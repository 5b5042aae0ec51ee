#include "load/agent_frames.h"

#include <ringroom/json.h>

#include <simdjson.h>

namespace ringroom::load {

namespace {

constexpr std::string_view call_head = R"({"type":"rpc","id":")";
constexpr std::string_view state_head =
    R"({"type":"cf_agent_state","state":{"counter":0,"stamp":")";
constexpr std::string_view state_tail = R"("}})";

using simdjson::dom::element;
using simdjson::dom::object;

std::string_view text_of(const object& frame, std::string_view key) {
  std::string_view text;
  return frame[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

}  // namespace

struct AgentFrames::Parser {
  simdjson::dom::parser dom;
};

AgentFrames::AgentFrames(const Stationery& stationery,
                         std::string_view method,
                         std::string_view arguments)
    : stationery_(stationery),
      call_tail_(R"(","method":)" + json(method).dump() + R"(,"args":)" + std::string(arguments) +
                 "}"),
      parser_(std::make_unique<Parser>()) {}

AgentFrames::~AgentFrames() = default;

// Digits and capital letters: nothing that JSON would escape.
void AgentFrames::append_stamp(const Stamp& stamp) {
  const std::size_t at = made_.size();
  made_.resize(at + stamp.bytes);
  stationery_.write(reinterpret_cast<std::byte*>(made_.data()) + at, stamp);
}

std::string_view AgentFrames::call(const Stamp& stamp) {
  made_ = call_head;
  append_stamp(stamp);
  made_ += call_tail_;
  return made_;
}

std::string_view AgentFrames::state(const Stamp& stamp) {
  made_ = state_head;
  append_stamp(stamp);
  made_ += state_tail;
  return made_;
}

AgentFrames::Frame AgentFrames::read(std::span<const std::byte> message) {
  const auto as_bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
  object frame;
  const auto* text = reinterpret_cast<const char*>(message.data());
  if (parser_->dom.parse(text, message.size()).get(frame) != simdjson::SUCCESS) return {};
  const std::string_view type = text_of(frame, "type");
  if (type == "cf_agent_state_error") return {Kind::refusal, {}, text_of(frame, "error")};
  if (type == "cf_agent_state") {
    object state;
    if (frame["state"].get(state) != simdjson::SUCCESS) return {};
    const std::string_view stamp = text_of(state, "stamp");
    return stamp.empty() ? Frame{} : Frame{Kind::state, as_bytes(stamp), {}};
  }
  if (type != "rpc") return {};
  bool succeeded = false;
  bool done = false;
  if (frame["success"].get(succeeded) != simdjson::SUCCESS) return {};
  if (!succeeded) return {Kind::refusal, {}, text_of(frame, "error")};
  if (frame["done"].get(done) == simdjson::SUCCESS && !done) return {};
  return {Kind::answer, as_bytes(text_of(frame, "id")), {}};
}

}  // namespace ringroom::load
