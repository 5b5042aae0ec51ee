// Routes, entry hooks and CORS for the end-to-end tests: Guide says where a client came out,
// Turnstile lets in as ?door= says, PickyWeb is open to one origin.
#include <ringroom/ringroom.h>

using namespace ringroom;

class Guide final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  void on_connect(Connection& guest, const ConnectionContext&) override {
    guest.send(json{{"class", class_name()}, {"room", name()}, {"uri", guest.uri()}});
  }
  Deferred<Response> on_request(const Request& request) override {
    return Response::json({{"room", name()}, {"url", request.url()}});
  }
};
RINGROOM_AGENT(Guide)

namespace {

// As a program would look a session up: who it is decides the room.
RouteDecision room_of_session(const Request& request, const HookContext& context) {
  const std::string session(request.cookie("session").value_or(""));
  if (session.empty()) return CloseAfterAccept{close_code(4401), "log in first"};
  if (session == "pass") return std::nullopt;
  if (session == "banned") return Response::text(403, "banned");
  if (session == "throw") throw std::runtime_error("no sessions today");
  if (session == "lost") return RouteTarget{"Nobody", "x"};
  if (session == "nameless") return RouteTarget{"Guide", ""};
  if (session == "env") return RouteTarget{"guide", std::string(*context.env("GREETING"))};
  return RouteTarget{"Guide", session};
}

// Everything below /open is Guide's, with CORS.
RouteDecision open_guide(const Request& request, const HookContext&) {
  auto target = match_agent_path(request.path(), "/open");
  if (!target) return std::nullopt;
  target->cors = cors_any_origin();
  return *std::move(target);
}

}  // namespace

RINGROOM_ROUTE(user, "/user", &room_of_session)
RINGROOM_ROUTE(open, "/open", &open_guide)
RINGROOM_ROUTE(second_user, "//user/", [](const Request&, const HookContext&) {
  return RouteDecision(RouteTarget{"Guide", "second"});  // commas in a macro's argument are fine
})

class Turnstile final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  template <typename Decision>
  static Decision ask(const Request& request, const HookContext& context) {
    const std::string door = request.query("door").value_or("");
    if (door == context.env("GREETING")) return std::nullopt;
    if (door == "throw") throw std::runtime_error("the door is stuck");
    if (door == "other") {
      return Request(request.method(), "/agents/turnstile/elsewhere?door=other");
    }
    if constexpr (std::is_same_v<Decision, ConnectDecision>) {
      if (door == "close") return CloseAfterAccept{close_code(4403), "not today"};
      if (door == "mistake") return CloseAfterAccept{CloseCode::no_status, ""};
    }
    const json lobby = {{"className", context.class_name()}, {"name", context.room()}};
    return Response::text(401, "denied " + lobby.dump()).set_header("X-Why", "door");
  }
  static void describe(AgentClass<Turnstile>& about) {
    about.before_connect(&ask<ConnectDecision>).before_request(&ask<RequestDecision>);
  }

  void on_connect(Connection& guest, const ConnectionContext&) override { guest.send(guest.uri()); }
  Deferred<Response> on_request(const Request& request) override {
    return Response::text(std::string(request.url()));
  }
};
RINGROOM_AGENT(Turnstile)

class PickyWeb final : public Agent {
 public:
  using Agent::Agent;
  static void describe(AgentClass<PickyWeb>& about) {
    about.cors({{"Access-Control-Allow-Origin", "https://game.example"},
                {"Access-Control-Allow-Credentials", "true"}});
  }
};
RINGROOM_AGENT(PickyWeb)
