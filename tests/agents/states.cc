// Agents that differ in the state they begin with: PlainAgent and AIAssistant (none), StateAgent
// (what a call sets), NullStateAgent, NoIdentityAgent.
#include "recorded.h"

using namespace ringroom;

class PlainAgent final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.compression = true};
};
RINGROOM_AGENT(PlainAgent)

class AIAssistant final : public Agent {
 public:
  using Agent::Agent;
};
RINGROOM_AGENT(AIAssistant)

class StateAgent final : public Agent {
 public:
  using Agent::Agent;
  static void describe(AgentClass<StateAgent>& c) {
    c.callable("set", &StateAgent::set, json(absent));
    c.callable("get", &StateAgent::get);
  }

 private:
  // JSON has no undefined: a string that nobody sends stands for a missing argument.
  static constexpr const char* absent = "\x01 absent";

  std::string set(const json& value) {
    is_undefined_ = value == absent;
    if (!is_undefined_) {
      set_state(value);
      return "set";
    }
    // A state of undefined goes out as a frame without one.
    for (Connection& guest : connections()) {
      if (is_protocol_enabled(guest)) guest.send(R"({"type":"cf_agent_state"})");
    }
    return "set";
  }

  json get() const {
    if (is_undefined_ || !has_state()) return {{"type", "undefined"}};
    const json& value = state();
    const char* type = "object";
    if (value.is_string()) type = "string";
    if (value.is_number()) type = "number";
    if (value.is_boolean()) type = "boolean";
    return {{"type", type}, {"value", value}};
  }

  bool is_undefined_ = false;
};
RINGROOM_AGENT(StateAgent)

class NullStateAgent final : public Agent {
 public:
  using Agent::Agent;
  std::optional<json> initial_state() override { return json(nullptr); }
};
RINGROOM_AGENT(NullStateAgent)

class NoIdentityAgent final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.send_identity_on_connect = false};
  std::optional<json> initial_state() override { return json{{"a", 1}}; }
};
RINGROOM_AGENT(NoIdentityAgent)
