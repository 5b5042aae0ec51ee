// CounterAgent: state that clients share, and everything that a client can call.
#include <ringroom/ringroom.h>

#include <chrono>
#include <stdexcept>

using namespace ringroom;

namespace {

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const std::byte byte : bytes) {
    hex += digits[std::to_integer<std::size_t>(byte >> 4)];
    hex += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return hex;
}

}  // namespace

class CounterAgent final : public Agent {
 public:
  using Agent::Agent;

  static void describe(AgentClass<CounterAgent>& c) {
    c.callable("increment", &CounterAgent::increment, 1);
    c.callable("add", &CounterAgent::add);
    c.callable("echo", &CounterAgent::echo);
    c.callable("boom", &CounterAgent::boom, "kaboom");
    c.callable("nothing", &CounterAgent::nothing);
    c.callable("returnsNull", &CounterAgent::returns_null);
    c.callable("slow", &CounterAgent::slow);
    c.callable("whoAmI", &CounterAgent::who_am_i);
    c.callable("setBadState", &CounterAgent::set_bad_state);
    c.callable("closeMe", &CounterAgent::close_me);
    c.callable("streamCount", &CounterAgent::stream_count);
    c.callable("streamNoFinal", &CounterAgent::stream_no_final);
    c.callable("streamBoom", &CounterAgent::stream_boom);
    c.callable("streamError", &CounterAgent::stream_error);
    c.callable("streamForget", &CounterAgent::stream_forget);
    c.not_callable("notCallable");
  }

  std::optional<json> initial_state() override { return json{{"counter", 0}}; }

  void validate_state_change(const json& next, const Connection*) override {
    if (!next.is_object() || !next.contains("counter")) return;
    const json& counter = next["counter"];
    if (counter.is_number() && counter < 0) {
      throw std::invalid_argument("counter must not be negative");
    }
  }

  // What the tests of clients use to see a hook fail.
  void on_state_changed(const json& state, Connection*) override {
    if (state.is_object() && state.value("note", json()) == "throw-in-hook") {
      throw std::runtime_error("hook failed");
    }
  }

  void on_message(Connection& from, Message message) override {
    const std::string got = message.is_text() ? "text:" + std::string(message.text())
                                              : "binary(ArrayBuffer):" + to_hex(message.bytes());
    from.send(json{{"type", "custom-echo"}, {"got", got}});
  }

  Deferred<Response> on_request(const Request& request) override {
    const std::string query(request.query_string());
    return Response::json({{"method", request.method()},
                           {"pathname", request.path()},
                           {"search", query.empty() ? "" : "?" + query},
                           {"name", name()},
                           {"state", state()}});
  }

 private:
  json increment(std::int64_t n) {
    json counter = state().is_object() ? state().value("counter", json(0)) : json(0);
    set_state(json{{"counter", counter.is_number() ? add(counter, n) : json(n)}});
    return state()["counter"];
  }

  // As JavaScript adds: numbers are summed, anything else is joined as text, nothing is no number.
  json add(const json& a, const json& b) {
    if (a.is_null() || b.is_null()) return nullptr;
    if (a.is_number_integer() && b.is_number_integer()) {
      return a.get<std::int64_t>() + b.get<std::int64_t>();
    }
    if (a.is_number() && b.is_number()) return a.get<double>() + b.get<double>();
    const auto text = [](const json& value) {
      return value.is_string() ? value.get<std::string>() : value.dump();
    };
    return text(a) + text(b);
  }

  Arguments echo(Arguments all) { return all; }
  void boom(const std::string& message) { throw std::runtime_error(message); }
  void nothing() {}
  json returns_null() { return nullptr; }

  // Answers later, and holds nobody up meanwhile.
  Deferred<std::string> slow(int ms) {
    Deferred<std::string> answer;
    after(std::chrono::milliseconds(ms),
          [answer, ms] { answer.resolve("slept " + std::to_string(ms)); });
    return answer;
  }

  json who_am_i() {
    const Connection& me = *caller();
    return {{"id", me.id()}, {"uri", me.uri()}, {"tags", me.tags()}, {"state", me.state()}};
  }

  void set_bad_state() { set_state(json{{"counter", -5}}); }

  std::string close_me(std::uint16_t code, const std::string& reason) {
    caller()->close(code, reason);
    return "closing";
  }

  void stream_count(Stream& stream, int n) { send_count(stream, 0, n); }

  void send_count(Stream stream, int i, int n) {
    if (i >= n) return stream.end({{"total", n}});
    stream.send({{"i", i}});
    after(std::chrono::milliseconds(5),
          [this, stream, i, n]() mutable { send_count(stream, i + 1, n); });
  }

  void stream_no_final(Stream& stream) {
    stream.send("only");
    stream.end();
  }

  void stream_boom(Stream& stream) {
    stream.send("one");
    throw std::runtime_error("stream broke");
  }

  void stream_error(Stream& stream) {
    stream.send("one");
    stream.error("soft error");
    stream.send("late");  // dropped: the call has ended
  }

  void stream_forget(Stream& stream) { stream.send("one"); }
};
RINGROOM_AGENT(CounterAgent)
