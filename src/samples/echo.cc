// Echo: every message back, text as text and binary as binary, an envelope as an envelope. For
// conformance and load.
#include <ringroom/ringroom.h>

using namespace ringroom;

class Echo final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false, .compression = true};

  void on_message(Connection& from, Message message) override {
    if (message.is_batched()) {
      from.queue(message.type(), message);
    } else {
      from.send(message);
    }
  }
  // An envelope is answered by one.
  void on_batch(Connection& from, Batch batch) override {
    Agent::on_batch(from, batch);
    from.flush();
  }

  Deferred<Response> on_request(const Request&) override {
    return Response::text(426, "This room speaks WebSocket.").set_header("Upgrade", "websocket");
  }
};
RINGROOM_AGENT(Echo)
