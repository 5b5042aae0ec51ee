// Strongbox: what Vault is called in the next version. Tells what the room has kept.
#include <ringroom/ringroom.h>

using namespace ringroom;

class Strongbox final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false, .renamed_from = "Vault"};

  Deferred<Response> on_request(const Request&) override {
    return Response::json(json(storage().list()));
  }
};
RINGROOM_AGENT(Strongbox)
