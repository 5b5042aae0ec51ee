#include <ringroom/ringroom.h>
using namespace ringroom;

struct Player {
  std::string name;
  int score = 0;
};
RINGROOM_JSON(Player, name, score)

class Quiz final : public Agent {
 public:
  using Agent::Agent;

  void on_connect(Connection& guest, const ConnectionContext& context) override {
    guest.set_state(Player{context.request().query("name").value_or("Anonymous")});
    broadcast(json{{"joined", guest.state()}}, {.without = guest.ref()});
  }
  void on_message(Connection& from, Message answer) override {
    Player player = *from.state<Player>();
    if (answer.text() == "42") ++player.score;
    from.set_state(player);
    broadcast(json{{"player", player}});
  }
  void on_close(Connection& guest, CloseCode, std::string_view, bool) override {
    broadcast(json{{"left", guest.state()}});
  }
};
RINGROOM_AGENT(Quiz)
