// IoTAgent: a thermometer. Devices connect with ?protocol=binary, send one byte, and never get a
// frame of the Agents protocol; people watch the same state in a browser.
#include <ringroom/ringroom.h>

#include <array>

using namespace ringroom;

class IoTAgent final : public Agent {
 public:
  using Agent::Agent;

  static void describe(AgentClass<IoTAgent>& c) {
    c.callable("temp", &IoTAgent::temp);
    c.callable("shout", &IoTAgent::shout);
  }

  std::optional<json> initial_state() override { return json{{"temp", 20}}; }

  bool should_send_protocol_messages(Connection&, const ConnectionContext& context) override {
    return context.request().query("protocol") != "binary";
  }

  void on_connect(Connection& device, const ConnectionContext&) override {
    if (is_protocol_enabled(device)) return;
    device.send(std::array{std::byte{0xCA}, std::byte{0xFE}});
  }

  void on_message(Connection& from, Message message) override {
    if (message.is_text()) {
      from.send("echo:" + std::string(message.text()));
      return;
    }
    if (!message.bytes().empty()) {
      set_state(json{{"temp", std::to_integer<int>(message.bytes().front())}});
    }
    from.send(message);
  }

 private:
  json temp() { return state().is_object() ? state().value("temp", json()) : json(); }

  std::string shout(const std::string& text) {
    broadcast(text);
    return "ok";
  }
};
RINGROOM_AGENT(IoTAgent)
