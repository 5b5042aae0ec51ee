// WorkAgent: the recorded agent with schedules.
#include "recorded.h"

#include <stdexcept>

using namespace ringroom;
using std::chrono::milliseconds;

class WorkAgent final : public Agent {
 public:
  using Agent::Agent;

  static void describe(AgentClass<WorkAgent>& c) {
    c.task("cb", &WorkAgent::note);
    c.task("failing", &WorkAgent::failing);
    c.callable("delayed", &WorkAgent::delayed);
    c.callable("dated", &WorkAgent::dated);
    c.callable("cron", &WorkAgent::cron);
    c.callable("every", &WorkAgent::every);
    c.callable("cancel", &WorkAgent::cancel);
    c.callable("list", &WorkAgent::list);
    c.callable("one", &WorkAgent::one);
    c.callable("failSoon", &WorkAgent::fail_soon);
    c.callable("report", &WorkAgent::report);
    c.callable("badName", &WorkAgent::bad_name);
    c.callable("badInterval", &WorkAgent::bad_interval);
  }

  std::optional<json> initial_state() override { return json{{"log", json::array()}}; }
  using Agent::on_error;
  void on_error(const Error& error) override {
    errors_.push_back("Error: " + std::string(error.message()));
  }

 private:
  void note(const json& payload, const Schedule& schedule) {
    json log = state().at("log");
    log.push_back(json(schedule.type).get<std::string>() + ':' + payload.dump());
    set_state(json{{"log", log}});
  }
  void failing() {
    ++attempts_;
    throw std::runtime_error("cb failed");
  }

  json delayed(int seconds, const json& payload) {
    return schedule(std::chrono::seconds(seconds), "cb", payload);
  }
  json dated(int in_ms, const json& payload) {
    return schedule(std::chrono::sys_time<milliseconds>(milliseconds(now_ms() + in_ms)), "cb",
                    payload);
  }
  json cron(const std::string& expression, const json& payload) {
    return schedule(expression, "cb", payload);
  }
  json every(int seconds, const json& payload) {
    return schedule_every(std::chrono::seconds(seconds), "cb", payload);
  }
  bool cancel(const std::string& id) { return cancel_schedule(id); }
  json list(const json& criteria) {
    ScheduleFilter filter;
    if (criteria.contains("type")) filter.type = criteria["type"].get<ScheduleType>();
    return schedules(filter);
  }
  json one(const std::string& id) {
    const auto found = get_schedule(id);
    return found ? json(*found) : json(json::value_t::discarded);
  }
  json fail_soon() {
    const RetryOptions retry{
        .attempts_max = 2, .delay = milliseconds(10), .delay_max = milliseconds(20)};
    return schedule(std::chrono::seconds(1), "failing", nullptr, {.retry = retry});
  }
  json report() { return {{"attempts", attempts_}, {"errs", errors_}}; }
  json bad_name() { return schedule(std::chrono::seconds(1), "nope"); }
  json bad_interval(int seconds) { return schedule_every(std::chrono::seconds(seconds), "cb"); }

  int attempts_ = 0;
  std::vector<std::string> errors_;
};
RINGROOM_AGENT(WorkAgent)
