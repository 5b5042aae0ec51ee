// PrivateRoom: a relay for those who know the token: ?token= must be TOKEN of the server's --env.
// Shows how clients that can't send headers (browsers' WebSockets) prove who they are.
#include <ringroom/ringroom.h>

using namespace ringroom;

namespace {

// Takes as long for a wrong token as for the right one, so that it can't be guessed by the clock.
bool is_same_secret(std::string_view given, std::string_view secret) {
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char expected = secret.empty() ? '\0' : secret[i % secret.size()];
    difference |= static_cast<unsigned>(static_cast<unsigned char>(given[i] ^ expected));
  }
  return difference == 0 && !secret.empty();
}

}  // namespace

class PrivateRoom final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  // A refused handshake would be retried for ever; 4401 tells the client to give up.
  static ConnectDecision check(const Request& request, const HookContext& context) {
    const std::string token = request.query("token").value_or("");
    if (is_same_secret(token, context.env("TOKEN").value_or(""))) return std::nullopt;
    return CloseAfterAccept{close_code(4401), "token missing or wrong"};
  }
  static void describe(AgentClass<PrivateRoom>& about) { about.before_connect(&check); }

  void on_message(Connection& from, Message message) override {
    broadcast(message, {.without = from.ref()});
  }
};
RINGROOM_AGENT(PrivateRoom)
