// Agents for the end-to-end tests that use one part of the interface each: Clock (timers, ticks),
// Flood* (outboxes), Keeper (state, attachments, local values), Hooks (what throws), Sluggish.
#include <ringroom/ringroom.h>

#include <thread>

using namespace ringroom;

namespace {

struct Seat {
  std::uint32_t row;
  std::uint32_t number;
};

struct Visits {
  int count = 0;
};

}  // namespace

class Clock final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.tick_hz = 50};

  void on_tick(const Tick& tick) override {
    if (busy_ms_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(busy_ms_));
    busy_ms_ = 0;
    broadcast(json{{"tick", tick.number}, {"missed", tick.missed}, {"dt", tick.dt.count()}},
              {.tag = "ticks"});
  }

  std::vector<std::string> connection_tags(Connection&, const ConnectionContext& context) override {
    const auto tag = context.request().query("tag");
    return tag ? std::vector{*tag} : std::vector<std::string>();
  }

  void on_message(Connection& from, Message message) override {
    const json command = json::parse(message.text());
    const auto& op = command.at("op").get_ref<const std::string&>();
    const std::chrono::milliseconds ms(command.value("ms", 10));
    const ConnectionRef ref = from.ref();
    const auto tell = [this, ref](const char* what) {
      if (Connection* guest = connection(ref)) guest->send(what);
    };
    if (op == "after") after(ms, [tell] { tell("after"); });
    if (op == "every") timer_ = every(ms, [tell] { tell("every"); });
    if (op == "every-once") {
      timer_ = every(ms, [this, tell] {
        cancel(timer_);
        tell("once");
      });
    }
    if (op == "cancel") cancel(timer_);
    if (op == "after-throw") after(ms, [] { throw std::runtime_error("a timer threw"); });
    if (op == "busy") busy_ms_ = ms.count();
    if (op == "rate") set_tick_rate(command.at("hz").get<double>());
    if (op == "cancel" || op == "busy" || op == "rate") from.send("done");
    if (op == "why") from.send(json(why_awake()));
  }

 private:
  TimerId timer_;
  std::int64_t busy_ms_ = 0;
};
RINGROOM_AGENT(Clock)

// {"op":"flood","frames":n,"bytes":b} sends so many frames to all others; each begins with its
// number.
class Flood : public Agent {
 public:
  using Agent::Agent;

  void on_message(Connection& from, Message message) override {
    const json command = json::parse(message.text(), nullptr, false);
    if (!command.is_object()) return;
    const auto& op = command.at("op").get_ref<const std::string&>();
    if (op == "flood") {
      from.send(
          flood(from, command.at("frames").get<int>(), command.at("bytes").get<std::size_t>()));
    } else if (op == "buffered") {
      json all = json::object();
      for (const Connection& each : connections())
        all[std::string(each.id())] = each.buffered_bytes();
      from.send(all);
    } else if (op == "drained") {
      from.send(json(drained_));
    }
  }

  void on_drain(Connection& connection) override { drained_.emplace_back(connection.id()); }
  void on_close(Connection& connection, CloseCode code, std::string_view, bool) override {
    broadcast(json{{"left", connection.id()}, {"code", number(code)}});
  }

 private:
  // To each by send(), so that every result is seen.
  json flood(const Connection& from, int frames, std::size_t bytes) {
    int queued = 0, dropped = 0, closed = 0;
    for (int i = 0; i < frames; ++i) {
      std::string text = std::to_string(i) + " ";
      text.resize(std::max(bytes, text.size()), '.');
      for (Connection& each : connections()) {
        if (each.ref() == from.ref()) continue;
        switch (each.send(text)) {
          case SendResult::queued: ++queued; break;
          case SendResult::dropped: ++dropped; break;
          case SendResult::closed: ++closed; break;
        }
      }
    }
    return {{"queued", queued}, {"dropped", dropped}, {"closed", closed}};
  }

  std::vector<std::string> drained_;
};

class FloodClose final : public Flood {
 public:
  using Flood::Flood;
  static constexpr AgentOptions options{.protocol_frames = false};
};
RINGROOM_AGENT(FloodClose)

class FloodNewest final : public Flood {
 public:
  using Flood::Flood;
  static constexpr AgentOptions options{.protocol_frames = false,
                                        .outbox_full = OutboxFull::drop_newest};
};
RINGROOM_AGENT(FloodNewest)

class FloodOldest final : public Flood {
 public:
  using Flood::Flood;
  static constexpr AgentOptions options{.protocol_frames = false,
                                        .outbox_full = OutboxFull::drop_oldest};
};
RINGROOM_AGENT(FloodOldest)

class Keeper final : public Agent {
 public:
  using Agent::Agent;

  void on_message(Connection& from, Message message) override {
    const json command = json::parse(message.text());
    json answer;
    try {
      answer = run(from, command);
    } catch (const std::exception& error) {
      answer = {{"error", error.what()}};
    }
    from.send(answer);
  }

 private:
  json run(Connection& from, const json& command) {
    const auto& op = command.at("op").get_ref<const std::string&>();
    if (op == "set") {
      from.set_state(command.at("value"));
    } else if (op == "update") {
      from.set_state([&](json old) { return old.get<int>() + command.at("by").get<int>(); });
    } else if (op == "attach-bytes") {
      from.set_attachment(
          std::vector<std::byte>(command.at("bytes").get<std::size_t>(), std::byte{7}));
    } else if (op == "attach-seat") {
      from.set_attachment(Seat{command.at("row").get<std::uint32_t>(), 9});
    } else if (op == "seat") {
      const auto seat = from.attachment<Seat>();
      return seat ? json{seat->row, seat->number} : json();
    } else if (op == "visit") {
      return ++from.local<Visits>().count;
    } else if (op == "other-local") {
      return from.local<Seat>().row;
    } else if (op == "send-to-self-while-walking") {
      for (Connection& each : connections()) {
        if (each.ref() != from.ref()) each.close(close_code(4001), "walked over");
      }
      return {{"left", connections().size()}, {"closing", connections({}, include_closing).size()}};
    }
    return {{"state", from.state()}, {"attached", from.attachment().size()}};
  }
};
RINGROOM_AGENT(Keeper)

// Throws where ?throw= says, and tells the others what on_error and on_close were told.
class Hooks final : public Agent {
 public:
  using Agent::Agent;

  void on_start(const json&) override {
    if (name() == "bad-start") throw std::runtime_error("no start today");
  }
  std::vector<std::string> connection_tags(Connection&, const ConnectionContext& context) override {
    if (context.request().query("throw") == "tags") throw std::runtime_error("no tags today");
    return {};
  }
  void on_connect(Connection& guest, const ConnectionContext& context) override {
    const auto what = context.request().query("throw");
    if (what == "connect") {
      guest.send("never seen");
      throw std::runtime_error("no connect today");
    }
    if (what == "something else") throw 42;
    if (what == "changed") set_state(1);
    if (context.request().query("close") == "connect") {
      guest.send("first");
      guest.close(4002, "not you");
    }
    guest.set_state(what.value_or(""));
  }
  void on_message(Connection& from, Message message) override {
    if (message.text() == "throw") throw std::runtime_error("no message today");
    from.send(message);
  }
  void on_close(Connection& guest, CloseCode code, std::string_view reason, bool clean) override {
    broadcast(json{{"left", guest.id()},
                   {"code", number(code)},
                   {"reason", reason},
                   {"clean", clean},
                   {"state", guest.state()},
                   {"members", connections().size()}});
    if (guest.state() == "close") throw std::runtime_error("no close today");
    if (guest.state() == "reply") guest.close(4444, "my own words");
  }
  void on_state_changed(const json&, Connection*) override {
    throw std::runtime_error("no change today");
  }
  using Agent::on_error;
  void on_error(Connection& guest, const Error& error) override {
    broadcast(json{{"where", error.where()}, {"message", error.message()}, {"of", guest.id()}},
              {.without = guest.ref()});
    if (name() != "discreet") Agent::on_error(guest, error);
  }
};
RINGROOM_AGENT(Hooks)

// One connection for each id. Says who is there, and who left how.
class OneEach final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false,
                                        .duplicate_ids = DuplicateIds::replace};

  void on_connect(Connection& guest, const ConnectionContext&) override {
    guest.send(
        json{{"here", connections().size()}, {"of_this_id", connections_by_id(guest.id()).size()}});
  }
  void on_message(Connection&, Message message) override { broadcast(message); }
  void on_close(Connection& guest, CloseCode code, std::string_view, bool clean) override {
    broadcast(json{{"left", guest.id()}, {"code", number(code)}, {"clean", clean}});
  }
};
RINGROOM_AGENT(OneEach)

// Takes `ms` milliseconds for each message.
class Sluggish final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  void on_message(Connection& from, Message message) override {
    const json command = json::parse(message.text());
    std::this_thread::sleep_for(std::chrono::milliseconds(command.at("ms").get<int>()));
    from.send("done");
  }
};
RINGROOM_AGENT(Sluggish)
