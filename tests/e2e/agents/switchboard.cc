// Agents that ask agents, for the end-to-end tests: Switchboard asks whom a client names, and does
// what another one asks for; Fumbler asks while it fails to start.
#include <ringroom/ringroom.h>

#include <memory>

using namespace ringroom;

namespace {

json outcome(const Response& response) {
  return {{"status", response.status()}, {"body", response.body()}};
}

}  // namespace

class Switchboard final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  // Room entry is none of another agent's business: only clients meet this.
  static RequestDecision refuse(const Request&, const HookContext&) {
    return Response::text(403, "for agents only");
  }
  static void describe(AgentClass<Switchboard>& about) {
    about.before_request(&refuse);
    about.callable("sum", &Switchboard::sum);
    about.callable("room", &Switchboard::room);
    about.callable("nothing", &Switchboard::nothing);
    about.callable("fail", &Switchboard::fail);
    about.callable("slowly", &Switchboard::slowly);
    about.callable("pass_on", &Switchboard::pass_on);
  }

  int sum(int a, int b) { return a + b; }
  std::string room() { return std::string(name()); }
  void nothing() {}
  void fail(const std::string& why) { throw std::runtime_error(why); }
  Deferred<json> slowly(const json& value) {
    Deferred<json> answer;
    after(std::chrono::milliseconds(20), [answer, value] { answer.resolve(value); });
    return answer;
  }
  // Calls `method` of the first room through the others.
  Deferred<json> pass_on(const std::string& method, std::vector<std::string> rooms) {
    const std::string next = rooms.back();
    rooms.pop_back();
    if (rooms.empty()) return agent("Switchboard", next).call(method);
    return agent("Switchboard", next).call("pass_on", method, rooms);
  }

  void on_message(Connection& from, Message message) override {
    const json wanted = json::parse(message.text());
    const std::string op = wanted.at("op");
    if (op == "why") return void(from.send(json(why_awake())));
    if (op == "fetch") return fetch(from, wanted);
    if (op == "call") return call(from, wanted);
    if (op == "many") return many(from, wanted.at("rooms"), wanted.at("times"));
    if (op == "flood") return flood(from, wanted.at("times"));
    throw std::invalid_argument("no op " + op);
  }

  // What it does stands in the query: ?do=…
  Deferred<Response> on_request(const Request& request) override {
    const std::string what = request.query("do").value_or("tell");
    if (what == "throw") throw std::runtime_error(std::string(name()) + " is upset");
    if (what == "drop") return Deferred<Response>();
    if (what == "never") return unanswered_.emplace_back();
    if (what == "later") return later();
    if (what == "ask" || what == "tell and ask") return ask(request, what == "ask");
    if (what == "deeper") return deeper(std::stoi(request.query("level").value()));
    return Response::json({{"room", name()},
                           {"method", request.method()},
                           {"url", request.url()},
                           {"header", request.header("X-One").value_or("")},
                           {"body", request.body()}});
  }

 private:
  void fetch(Connection& from, const json& wanted) {
    Request request(wanted.value("method", "GET"), wanted.value("url", "/"), {{"X-One", "1"}},
                    wanted.value("body", ""));
    const ConnectionRef to = from.ref();
    agent(wanted.at("agent").get<std::string>(), wanted.at("room").get<std::string>())
        .fetch(std::move(request))
        .then([this, to](const Response& response) { reply(to, outcome(response)); },
              [this, to](const std::string& why) {
                reply(to, {{"error", why}});
              });
  }

  void call(Connection& from, const json& wanted) {
    const ConnectionRef to = from.ref();
    agent(wanted.value("agent", "Switchboard"), wanted.at("room").get<std::string>())
        .call_with(wanted.at("method").get<std::string>(), wanted.at("args"))
        .then(
            [this, to](const json& result) {
              reply(to, result.is_discarded() ? json{{"void", true}} : json{{"result", result}});
            },
            [this, to](const std::string& why) {
              reply(to, {{"error", why}});
            });
  }

  void many(Connection& from, int rooms, int times) {
    const auto left = std::make_shared<int>(times);
    const auto failed = std::make_shared<int>(0);
    const auto one = [this, to = from.ref(), left, failed](bool good) {
      if (!good) ++*failed;
      if (--*left == 0) reply(to, {{"failed", *failed}});
    };
    for (int i = 0; i < times; ++i) {
      const std::string room = "many-" + std::to_string(i % rooms);
      agent("Switchboard", room)
          .fetch(Request("GET", "/"))
          .then(
              [one, room](const Response& response) {
                one(json::parse(response.body()).at("room") == room);
              },
              [one](const std::string&) { one(false); });
    }
  }

  void flood(Connection& from, int times) {
    for (int i = 0; i < times; ++i) {
      agent("Switchboard", "silent")
          .fetch(Request("GET", "/?do=never"))
          .then([](const Response&) {},
                [this, to = from.ref(), i](const std::string& why) {
                  reply(to, {{"number", i}, {"error", why}});
                });
    }
  }

  Deferred<Response> later() {
    Deferred<Response> answer;
    after(std::chrono::milliseconds(20), [answer] { answer.resolve(Response::text("later")); });
    return answer;
  }

  // Asks ?room= for ?then=; not directly: only once another room has answered.
  Deferred<Response> ask(const Request& request, bool directly) {
    const std::string room = request.query("room").value();
    const std::string url = "/?" + request.query("then").value_or("");
    if (directly) return agent("switchboard", room).fetch(Request("GET", url));
    Deferred<Response> answer;
    agent("Switchboard", "helper")
        .fetch(Request("GET", "/"))
        .then(
            [this, answer, room, url](const Response&) {
              agent("Switchboard", room)
                  .fetch(Request("GET", url))
                  .then([answer](Response response) { answer.resolve(std::move(response)); },
                        [answer](const std::string& why) { answer.reject(why); });
            },
            [answer](const std::string& why) { answer.reject(why); });
    return answer;
  }

  Deferred<Response> deeper(int level) {
    if (level == 0) return Response::text("the bottom");
    return agent("Switchboard", "level-" + std::to_string(level))
        .fetch(Request("GET", "/?do=deeper&level=" + std::to_string(level - 1)));
  }

  void reply(ConnectionRef to, const json& value) {
    if (Connection* client = connection(to)) client->send(value);
  }

  std::vector<Deferred<Response>> unanswered_;
};
RINGROOM_AGENT(Switchboard)

class Fumbler final : public Agent {
 public:
  using Agent::Agent;
  void on_start(const json&) override {
    agent("Switchboard", "slow")
        .fetch(Request("GET", "/?do=later"))
        .then([this](const Response& response) { heard_ = response.body(); },
              [this](const std::string& why) { heard_ = why; });
    throw std::runtime_error("not today");
  }

 private:
  std::string heard_ = "nothing, and it lies in memory of its own";
};
RINGROOM_AGENT(Fumbler)
