// Relay: every message to all other members of the room, unchanged; to those with envelopes in
// their next one. For load.
#include <ringroom/ringroom.h>

using namespace ringroom;

class Relay final : public Agent {
 public:
  using Agent::Agent;
  // Everything it says to those with envelopes waits for 50 ms anyway.
  static constexpr AgentOptions options{.protocol_frames = false, .gather_ms = 25};

  void on_message(Connection& from, Message message) override {
    broadcast_queued(message.type(), message, {.without = from.ref(), .key = message.key()});
  }

  Deferred<Response> on_request(const Request&) override {
    return Response::text(426, "This room speaks WebSocket.").set_header("Upgrade", "websocket");
  }
};
RINGROOM_AGENT(Relay)
