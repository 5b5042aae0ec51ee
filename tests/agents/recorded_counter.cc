// RecordedCounter: those callables of the recorded counter that the sample doesn't have.
#include "recorded.h"

#include <cmath>
#include <stdexcept>

using namespace ringroom;

class RecordedCounter final : public Agent {
 public:
  using Agent::Agent;
  static void describe(AgentClass<RecordedCounter>& c) {
    c.callable("increment", &RecordedCounter::increment, 1);
    c.callable("add", &RecordedCounter::add);
    c.callable("echo", &RecordedCounter::echo);
    c.callable("boom", &RecordedCounter::boom, "kaboom");
    c.callable("throwsString", &RecordedCounter::throws_string);
    c.callable("throwsType", &RecordedCounter::throws_type);
    c.callable("nothing", &RecordedCounter::nothing);
    c.callable("returnsNull", &RecordedCounter::returns_null);
    c.callable("returnsDate", &RecordedCounter::returns_date);
    c.callable("returnsNested", &RecordedCounter::returns_nested);
    c.callable("hookLog", &RecordedCounter::hook_log);
    c.not_callable("notCallable");
  }

  std::optional<json> initial_state() override { return json{{"counter", 0}}; }

  void on_state_changed(const json& state, Connection* source) override {
    log_.push_back((source == nullptr ? "server" : std::string(source->id())) + ':' + state.dump());
  }

 private:
  int increment(int n) {
    const int counter = state().at("counter").get<int>() + n;
    set_state(json{{"counter", counter}});
    return counter;
  }

  // As the untyped language adds: what is missing makes it no number, and text is put together.
  json add(const std::optional<json>& a, const std::optional<json>& b) {
    if (!a || !b) return std::nan("");
    if (a->is_number() && b->is_number()) return a->get<int>() + b->get<int>();
    const auto text = [](const json& value) {
      return value.is_string() ? value.get<std::string>() : value.dump();
    };
    return text(*a) + text(*b);
  }

  json echo(const Arguments& all) { return all.values; }
  void boom(const std::string& message) { throw std::runtime_error(message); }
  void throws_string() { throw std::string("just a string"); }
  void throws_type() { throw std::logic_error("Cannot read properties of null (reading 'x')"); }
  void nothing() {}
  json returns_null() { return nullptr; }
  std::string returns_date() { return "1970-01-01T00:00:00.000Z"; }
  json returns_nested() {
    const json no_number = std::nan("");
    return {{"b", {nullptr, no_number, no_number}}, {"c", "é\u2028"}};
  }
  std::vector<std::string> hook_log() { return log_; }

  std::vector<std::string> log_;
};
RINGROOM_AGENT(RecordedCounter)
