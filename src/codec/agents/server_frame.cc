#include "codec/agents/server_frame.h"

namespace ringroom::codec::agents {

namespace {

// Clients choose ids, and errors quote what they met: half a character becomes U+FFFD.
std::string quoted(std::string_view text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string identity_frame(std::string_view room,
                           std::string_view class_kebab,
                           bool state_follows) {
  std::string frame = R"({"type":"cf_agent_identity","name":)";
  frame += quoted(room);
  frame += R"(,"agent":)";
  frame += quoted(class_kebab);
  if (state_follows) frame += R"(,"stateFollows":true)";
  frame += '}';
  return frame;
}

std::string state_frame(std::string_view state) {
  std::string frame = R"({"state":)";
  frame += state;
  frame += R"(,"type":"cf_agent_state"})";
  return frame;
}

std::string state_error_frame(std::string_view error) {
  return R"({"type":"cf_agent_state_error","error":)" + quoted(error) + "}";
}

std::string result_frame(std::string_view id, const json& result, bool done) {
  std::string frame = done ? R"({"done":true,"id":)" : R"({"done":false,"id":)";
  frame += quoted(id);
  if (!result.is_discarded()) {
    frame += R"(,"result":)";
    frame += result.dump();
  }
  frame += R"(,"success":true,"type":"rpc"})";
  return frame;
}

std::string failure_frame(std::string_view id, std::string_view error) {
  return R"({"error":)" + quoted(error) + R"(,"id":)" + quoted(id) +
         R"(,"success":false,"type":"rpc"})";
}

}  // namespace ringroom::codec::agents
