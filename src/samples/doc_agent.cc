// DocAgent: a text that some may edit and others, connected with ?mode=view, may only see.
#include <ringroom/ringroom.h>

using namespace ringroom;

class DocAgent final : public Agent {
 public:
  using Agent::Agent;

  static void describe(AgentClass<DocAgent>& c) {
    c.callable("setText", &DocAgent::set_text);
    c.callable("perms", &DocAgent::permissions);
    c.callable("setMyReadonly", &DocAgent::set_my_readonly);
    c.callable("connState", &DocAgent::connection_state);
  }

  std::optional<json> initial_state() override { return json{{"text", ""}}; }

  bool should_connection_be_readonly(Connection&, const ConnectionContext& context) override {
    return context.request().query("mode") == "view";
  }

 private:
  json set_text(const json& text) {
    set_state(json{{"text", text}});
    return text;
  }

  json permissions() { return {{"canEdit", !is_readonly(*caller())}}; }

  bool set_my_readonly(bool readonly) {
    set_connection_readonly(*caller(), readonly);
    return readonly;
  }

  // Without an argument it only tells; null is a state, too.
  json connection_state(const Arguments& value) {
    if (!value.values.empty()) caller()->set_state(value.values.front());
    return {{"state", caller()->state()}};
  }
};
RINGROOM_AGENT(DocAgent)
