// ChatRoom: whoever connects with ?username= can talk to everybody in the room.
#include <ringroom/ringroom.h>

using namespace ringroom;

namespace {

struct User {
  std::string username;
};
RINGROOM_JSON(User, username)

}  // namespace

class ChatRoom final : public Agent {
 public:
  using Agent::Agent;

  void on_connect(Connection& guest, const ConnectionContext& context) override {
    User user{context.request().query("username").value_or("")};
    if (user.username.empty()) user.username = "Anonymous";
    guest.set_state(user);
    broadcast(event("join", user), {.without = guest.ref()});
  }

  void on_message(Connection& from, Message message) override {
    if (!message.is_text()) return;
    const auto user = from.state<User>();
    if (!user) return;
    json said = event("message", *user);
    said["text"] = message.text();
    broadcast(said);
  }

  void on_close(Connection& guest, CloseCode, std::string_view, bool) override {
    if (const auto user = guest.state<User>()) broadcast(event("leave", *user));
  }

 private:
  json event(const char* type, const User& user) const {
    return {{"type", type}, {"user", user.username}, {"timestamp", now_ms()}};
  }
};
RINGROOM_AGENT(ChatRoom)
