// Echo: every message back, text as text and binary as binary. For conformance and load.
#include <ringroom/ringroom.h>

using namespace ringroom;

class Echo final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false, .compression = true};

  void on_message(Connection& from, Message message) override { from.send(message); }

  Deferred<Response> on_request(const Request&) override {
    return Response::text(426, "This room speaks WebSocket.").set_header("Upgrade", "websocket");
  }
};
RINGROOM_AGENT(Echo)
