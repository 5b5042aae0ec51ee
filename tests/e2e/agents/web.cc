// Agents that answer plain requests, for the end-to-end tests: Web, OpenWeb (CORS), Guarded.
#include <ringroom/ringroom.h>

#include <charconv>

using namespace ringroom;

namespace {

int number_of(const Request& request, std::string_view name, int otherwise) {
  const std::string text = request.query(name).value_or("");
  int value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

json describe(const Request& request) {
  json headers = json::array();
  for (const HeaderView header : request.headers()) headers.push_back({header.name, header.value});
  return {{"method", request.method()},
          {"path", request.path()},
          {"query", request.query_string()},
          {"version", request.http_version()},
          {"headers", headers},
          {"body", request.body()},
          {"peer", request.peer_address()}};
}

json describe(const Form& form) {
  if (!form) return {{"error", form.error}};
  json fields = json::array();
  for (const FormField& field : form.fields) {
    json one = {{"name", field.name}, {"bytes", field.value.size()}, {"type", field.content_type}};
    if (field.filename) one["filename"] = *field.filename;
    if (field.value.size() <= 100) one["value"] = field.value;
    fields.push_back(one);
  }
  return {{"fields", fields}};
}

}  // namespace

// What it does stands in the last segment: /agents/web/{room}/echo.
class Web : public Agent {
 public:
  using Agent::Agent;

  void on_start(const json& props) override { props_ = props; }

  Deferred<Response> on_request(const Request& request) override {
    const std::string_view path = request.path();
    const std::string_view what = path.substr(path.rfind('/') + 1);
    if (what == "describe") return Response::json(describe(request));
    if (what == "form") return Response::json(describe(request.form()));
    if (what == "echo") {
      return Response::bytes(200,
                             request.header("Content-Type").value_or("application/octet-stream"),
                             std::string(request.body()));
    }
    if (what == "deferred") return later(request);
    if (what == "dropped") return Deferred<Response>();
    if (what == "throw") throw std::runtime_error("the agent threw");
    if (what == "status") return Response::text(number_of(request, "code", 200), "as asked");
    if (what == "header") {
      return Response::text("with a header")
          .set_header("X-Test", request.query("value").value_or(""));
    }
    if (what == "env")
      return Response::json(
          {{"value", env(request.query("key").value_or("")).value_or("(unset)")}});
    if (what == "props") return Response::json(props_);
    if (what == "big") return Response::text(std::string(8'000'000, 'x'));
    return Response::text(404, "no such thing");
  }

 private:
  Deferred<Response> later(const Request& request) {
    Deferred<Response> answer;
    const std::string text = request.query("text").value_or("later");
    after(std::chrono::milliseconds(number_of(request, "ms", 10)),
          [answer, text] { answer.resolve(Response::text(text)); });
    return answer;
  }

  json props_;
};
RINGROOM_AGENT(Web)

class OpenWeb final : public Web {
 public:
  using Web::Web;
  static constexpr AgentOptions options{.cors = true};
};
RINGROOM_AGENT(OpenWeb)

// Refuses who lacks the secret before a room is made or woken.
class Guarded final : public Agent {
 public:
  using Agent::Agent;

  template <typename Decision>
  static Decision check(const Request& request, const HookContext& context) {
    if (request.query("secret") == "open sesame") return std::nullopt;
    return Response::text(403, "no entrance to " + std::string(context.room()));
  }
  static void describe(AgentClass<Guarded>& about) {
    about.before_connect(&check<ConnectDecision>).before_request(&check<RequestDecision>);
  }

  void on_connect(Connection& guest, const ConnectionContext&) override { guest.send("welcome"); }
  Deferred<Response> on_request(const Request&) override { return Response::text("welcome"); }
};
RINGROOM_AGENT(Guarded)
