// Agents for the tests of hibernation: Sleepy (what keeps it awake, what on_close sees, which
// connection is the newest of an id), Wakeful (never sleeps).
#include <ringroom/ringroom.h>

#include <atomic>
#include <map>
#include <thread>

using namespace ringroom;

namespace {
// Outlives the agents: a test asks whether the destructor ran.
std::atomic<int> sleepies_destroyed = 0;
}  // namespace

class Sleepy final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};
  ~Sleepy() override { ++sleepies_destroyed; }

  void on_connect(Connection& guest, const ConnectionContext& context) override {
    guest.set_state(context.request().query("state").value_or(""));
    guest.set_attachment(Seat{7, 9});
  }

  void on_message(Connection& from, Message message) override {
    const json command = json::parse(message.text());
    const auto& op = command.at("op").get_ref<const std::string&>();
    (this->*operations.at(op))(from, command);
  }

  void on_close(Connection& guest, CloseCode code, std::string_view reason, bool) override {
    const auto seat = guest.attachment<Seat>();
    const auto listed = connections();
    const auto all = connections({}, include_closing);
    const auto is_guest = [&](const Connection& each) { return each.ref() == guest.ref(); };
    broadcast(json{{"left", guest.id()},
                   {"code", number(code)},
                   {"reason", reason},
                   {"state", guest.state()},
                   {"seat", seat ? json{seat->row, seat->number} : json()},
                   {"ready", static_cast<int>(guest.ready_state())},
                   {"open", count_if(listed, is_guest)},
                   {"with_closing", count_if(all, is_guest)}});
  }

  Deferred<Response> on_request(const Request&) override {
    open_ = Deferred<Response>();
    return *open_;
  }

  using Agent::on_error;
  void on_error(Connection& connection, const Error& error) override {
    errors_.push_back(std::string(connection.id()) + " " + std::string(error.where()) + ": " +
                      std::string(error.message()));
  }

 private:
  struct Seat {
    int row;
    int number;
  };
  using Operation = void (Sleepy::*)(Connection& from, const json& command);

  template <typename Range, typename Matches>
  static int count_if(const Range& range, Matches matches) {
    int count = 0;
    for (const Connection& each : range) count += matches(each) ? 1 : 0;
    return count;
  }

  void why(Connection& from, const json&) { from.send(json(why_awake())); }
  void keep(Connection& from, const json&) {
    kept_.emplace(keep_alive());
    why(from, {});
  }
  void release(Connection& from, const json&) {
    kept_.reset();
    why(from, {});
  }
  void timer(Connection& from, const json& command) {
    after(std::chrono::milliseconds(command.at("ms").get<int>()), [] {});
    why(from, {});
  }
  void answer(Connection& from, const json&) {
    open_->resolve(Response::text(200, "at last"));
    why(from, {});
  }
  void flood(Connection& from, const json& command) {
    const std::string text(command.at("bytes").get<std::size_t>(), 'f');
    for (Connection& each : connections()) {
      if (each.ref() != from.ref()) each.send(text);
    }
    why(from, {});
  }
  void busy(Connection& from, const json& command) {
    set_event_timeout(std::chrono::milliseconds(20));
    std::this_thread::sleep_for(std::chrono::milliseconds(command.at("ms").get<int>()));
    from.send("done");
  }
  void errors(Connection& from, const json&) { from.send(json(errors_)); }
  void destroyed(Connection& from, const json&) { from.send(json(sleepies_destroyed.load())); }
  void newest(Connection& from, const json& command) {
    Connection* found = connection(command.at("id").get_ref<const std::string&>());
    from.send(found == nullptr ? json() : found->state());
  }
  void close(Connection& from, const json& command) {
    from.close(command.at("code").get<std::uint16_t>(), "said the room");
  }
  void forget(Connection& from, const json&) {
    Seat seat = *from.attachment<Seat>();
    seat.row = 1000;  // a copy: nothing of it is kept
    from.send(json{seat.row, from.attachment<Seat>()->row});
  }

  inline static const std::map<std::string, Operation> operations = {
      {"why", &Sleepy::why},       {"keep", &Sleepy::keep},     {"release", &Sleepy::release},
      {"timer", &Sleepy::timer},   {"answer", &Sleepy::answer}, {"flood", &Sleepy::flood},
      {"busy", &Sleepy::busy},     {"errors", &Sleepy::errors}, {"destroyed", &Sleepy::destroyed},
      {"newest", &Sleepy::newest}, {"close", &Sleepy::close},   {"forget", &Sleepy::forget},
  };

  std::optional<KeepAlive> kept_;
  std::optional<Deferred<Response>> open_;
  std::vector<std::string> errors_;
};
RINGROOM_AGENT(Sleepy)

class Wakeful final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.hibernate = false, .protocol_frames = false};

  void on_message(Connection& from, Message) override { from.send(json(why_awake())); }
};
RINGROOM_AGENT(Wakeful)
