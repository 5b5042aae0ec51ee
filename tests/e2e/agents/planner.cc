// Planner: an agent that has things done later, and keeps a log of them in its database.
#include <ringroom/ringroom.h>

#include <stdexcept>

using namespace ringroom;
using std::chrono::milliseconds;

class Planner final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  static void describe(AgentClass<Planner>& c) {
    c.task("note", &Planner::note);
    c.task("bare", &Planner::bare);
    c.task("end", &Planner::end);
    c.task("fail", &Planner::fail);
    c.task("late", &Planner::late);
    c.task("again", &Planner::again);
    c.task("typed", &Planner::typed);
    c.callable("called", &Planner::called);
  }

  void on_start(const json&) override {
    sql("CREATE TABLE IF NOT EXISTS log (n INTEGER PRIMARY KEY, entry TEXT)");
    if (env("FAIL_START")) throw std::runtime_error("no start");
  }

  void on_alarm() override {
    const int runs = ++alarm_runs_;
    if (fail_alarms_ >= runs) throw std::runtime_error("no alarm");
    enter({{"alarm", runs}, {"set", alarm().has_value()}});
    if (const auto next = storage().get<int>("repeat"); next && runs < *next) set_alarm(now_ms());
  }

  using Agent::on_error;
  void on_error(const Error& error) override {
    broadcast(json{{"error", error.message()}, {"runs", runs_}});
  }

  void on_message(Connection& from, Message message) override {
    const json command = json::parse(message.text());
    try {
      from.send(run(command.at("op").get<std::string>(), command));
    } catch (const std::exception& error) {
      from.send(json{{"error", error.what()}});
    }
  }

 private:
  void enter(const json& entry) {
    sql("INSERT INTO log (entry) VALUES (?)", entry.dump());
    broadcast(json{{"ran", entry}});
  }

  void note(const json& payload, const Schedule& schedule) {
    enter({{"payload", payload},
           {"type", schedule.type},
           {"late_ms", now_ms() - schedule.time_ms},
           {"known", get_schedule(schedule.id).has_value()}});
  }
  void bare() { enter("bare"); }
  void end() { destroy(); }
  void typed(const std::vector<int>& payload) { enter(payload.size()); }
  void called(int n) { enter({{"called", n}}); }
  void fail(const std::string& why) {
    ++runs_;
    throw std::runtime_error(why);
  }
  // Answers after so many milliseconds; negative: never.
  Deferred<std::monostate> late(int after_ms) {
    Deferred<std::monostate> answer;
    if (after_ms < 0) {
      never_ = answer;
    } else {
      after(milliseconds(after_ms), [this, answer, after_ms] {
        enter({{"late", after_ms}});
        answer.resolve({});
      });
    }
    return answer;
  }
  // Plans itself anew, as long as the payload says.
  void again(int left) {
    enter({{"left", left}});
    if (left > 0) schedule(milliseconds(0), "again", left - 1, {.idempotent = true});
  }

  json run(const std::string& op, const json& command) {
    if (op == "schedule") return plan(command);
    if (op == "list") return schedules(filter_of(command));
    if (op == "get") {
      const auto found = get_schedule(command.at("id").get<std::string>());
      return found ? json(*found) : json();
    }
    if (op == "cancel")
      return {{"cancelled", cancel_schedule(command.at("id").get<std::string>())}};
    if (op == "log") return entries();
    if (op == "alarm") {
      fail_alarms_ = command.value("fail", 0);
      if (command.contains("repeat")) storage().put("repeat", command["repeat"]);
      set_alarm(now_ms() + command.at("in").get<std::int64_t>());
      return {{"alarm", alarm().has_value()}};
    }
    if (op == "delete-alarm") {
      delete_alarm();
      return {{"alarm", alarm().has_value()}};
    }
    throw std::invalid_argument("there is no operation " + op);
  }

  json plan(const json& command) {
    const std::string task = command.value("task", "note");
    const json payload = command.value("payload", json());
    ScheduleOptions more;
    if (command.contains("idempotent")) more.idempotent = command["idempotent"].get<bool>();
    if (command.contains("attempts")) {
      more.retry = RetryOptions{.attempts_max = command["attempts"].get<unsigned>(),
                                .delay = milliseconds(1),
                                .delay_max = milliseconds(5)};
    }
    const auto ms = [&](const char* name) {
      return milliseconds(command.at(name).get<std::int64_t>());
    };
    if (command.contains("in")) return schedule(ms("in"), task, payload, more);
    if (command.contains("every")) return schedule_every(ms("every"), task, payload, more);
    if (command.contains("cron")) {
      return schedule(command["cron"].get<std::string>(), task, payload, more);
    }
    return schedule(std::chrono::sys_time<milliseconds>(ms("at")), task, payload, more);
  }

  static ScheduleFilter filter_of(const json& command) {
    ScheduleFilter filter;
    if (command.contains("type")) filter.type = command["type"].get<ScheduleType>();
    if (command.contains("from")) filter.from_ms = command["from"].get<std::int64_t>();
    if (command.contains("to")) filter.to_ms = command["to"].get<std::int64_t>();
    return filter;
  }

  json entries() {
    json list = json::array();
    for (const SqlRows::Row row : sql("SELECT entry FROM log ORDER BY n")) {
      list.push_back(json::parse(row[0].text()));
    }
    return list;
  }

  int runs_ = 0;
  int alarm_runs_ = 0;
  int fail_alarms_ = 0;
  Deferred<std::monostate> never_;
};
RINGROOM_AGENT(Planner)
