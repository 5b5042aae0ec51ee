// PresenceAgent: everybody in the room sees who is there. A client says it is still alive by
// "ping".
#include <ringroom/ringroom.h>

using namespace ringroom;

namespace {

struct Presence {
  std::string name;
  std::int64_t lastSeen = 0;  // NOLINT(readability-identifier-naming): as the clients know it
};
RINGROOM_JSON(Presence, name, lastSeen)

}  // namespace

class PresenceAgent final : public Agent {
 public:
  using Agent::Agent;

  void on_connect(Connection& guest, const ConnectionContext& context) override {
    std::string name = context.request().query("name").value_or("");
    guest.set_state(Presence{name.empty() ? "Anonymous" : name, now_ms()});
    const json everybody = presence();
    guest.send(everybody);
    broadcast(everybody);
  }

  void on_message(Connection& from, Message message) override {
    if (!message.is_text() || message.text() != "ping") return;
    auto seen = from.state<Presence>();
    if (!seen) return;
    seen->lastSeen = now_ms();
    from.set_state(*seen);
    from.send("pong");
  }

  void on_close(Connection&, CloseCode, std::string_view, bool) override { broadcast(presence()); }

 private:
  json presence() const {
    json users = json::object();
    for (const Connection& connection : connections()) {
      users[std::string(connection.id())] = connection.state();
    }
    return {{"type", "presence"}, {"users", users}};
  }
};
RINGROOM_AGENT(PresenceAgent)
