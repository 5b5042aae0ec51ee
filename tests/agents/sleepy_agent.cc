// SleepyAgent: tells with each message what it and the sender's connection remember.
#include "recorded.h"

using namespace ringroom;

class SleepyAgent final : public Agent {
 public:
  using Agent::Agent;

  std::optional<json> initial_state() override { return json{{"n", 0}}; }

  bool should_connection_be_readonly(Connection&, const ConnectionContext& context) override {
    return context.request().query("mode") == "view";
  }
  bool should_send_protocol_messages(Connection&, const ConnectionContext& context) override {
    return context.request().query("protocol") != "binary";
  }

  // A constructor runs once for each start here.
  void on_start(const json&) override {
    shelf_.count("ctor");
    shelf_.count("starts");
  }

  void on_connect(Connection& guest, const ConnectionContext&) override {
    guest.set_state(json{{"since", "connect"}});
    shelf_.count("connects");
  }

  void on_message(Connection& from, Message message) override {
    ++memory_;
    from.send(json{{"type", "sleepy"},
                   {"got", message.is_text() ? message.text() : "binary"},
                   {"memory", memory_},
                   {"ctor", shelf_.get("ctor")},
                   {"starts", shelf_.get("starts")},
                   {"connects", shelf_.get("connects")},
                   {"id", from.id()},
                   {"uri", from.uri()},
                   {"tags", from.tags()},
                   {"connState", from.state()},
                   {"readonly", is_readonly(from)},
                   {"protocol", is_protocol_enabled(from)}});
    if (message.is_text() && message.text() == "set") {
      set_state(json{{"n", state().at("n").get<int>() + 1}});
    }
  }

 private:
  recorded::Shelf shelf_{*this};
  int memory_ = 0;
};
RINGROOM_AGENT(SleepyAgent)
