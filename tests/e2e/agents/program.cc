// A program of one's own for the end-to-end tests: it reads no flags but --listen, and gives /user
// to the room that the client's session names.
#include <ringroom/ringroom.h>

#include <string_view>

using namespace ringroom;

class NamedRoom final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};
  void on_connect(Connection& guest, const ConnectionContext&) override { guest.send(name()); }
};
RINGROOM_AGENT(NamedRoom)

int main(int argc, char** argv) {
  ServerOptions options;
  options.admin = "off";
  options.data = ":memory:";
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string_view(argv[i]) == "--listen") options.listen = argv[i + 1];
  }
  Server server(options);
  server.route("/user", [](const Request& request, const HookContext&) -> RouteDecision {
    if (const auto session = request.query("session")) return RouteTarget{"NamedRoom", *session};
    return std::nullopt;
  });
  return server.run();
}
