// What an agent's author calls to keep things: transaction(), storage(), typed rows, and requests
// that write.
#include <ringroom/ringroom.h>

#include <stdexcept>

using namespace ringroom;

class Vault final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  void on_message(Connection& from, Message message) override {
    const json command = json::parse(message.text());
    const std::string op = command.at("op");
    try {
      from.send(run(op, command));
    } catch (const std::exception& error) {
      from.send(json{{"error", error.what()}});
    }
  }

  static void describe(AgentClass<Vault>& about) { about.callable("end", &Vault::end); }
  std::string end() {
    destroy();
    return "ended";
  }

  // Counts the requests to this room, durably.
  Deferred<Response> on_request(const Request&) override {
    const int count = storage().get<int>("requests").value_or(0) + 1;
    storage().put("requests", count);
    return Response::text(200, std::to_string(count));
  }

 private:
  json run(const std::string& op, const json& command) {
    if (op == "put") {
      storage().put(command.at("key").get<std::string>(), command.at("value"));
      return {{"ok", true}};
    }
    if (op == "get") {
      const auto value = storage().get(command.at("key").get<std::string>());
      return {{"found", value.has_value()}, {"value", value.value_or(nullptr)}};
    }
    if (op == "erase") return {{"erased", storage().erase(command.at("key").get<std::string>())}};
    if (op == "erase-all") return {{"erased", storage().erase_all()}};
    if (op == "list") return list(command);
    if (op == "alarm") {
      set_alarm(now_ms() + command.at("ms").get<int>());
      return {{"ok", true}};
    }
    if (op == "destroy") {
      if (command.value("alarm", false)) set_alarm(now_ms() + 50);
      storage().put("before", true);
      destroy();
      storage().put("behind", true);
      return {{"ok", true}};
    }
    if (op == "transaction") return add_in_transaction(command);
    throw std::invalid_argument("there is no operation " + op);
  }

  json list(const json& command) {
    const std::string prefix = command.value("prefix", "");
    const std::string start = command.value("start", "");
    const std::string end = command.value("end", "");
    ListOptions wanted{.prefix = prefix, .reverse = command.value("reverse", false)};
    if (!start.empty()) wanted.start = start;
    if (!end.empty()) wanted.end = end;
    if (command.contains("limit")) wanted.limit = command["limit"].get<std::size_t>();
    return storage().list(wanted);
  }

  // Adds numbers; what comes behind a "throw" of an inner transaction is undone alone.
  json add_in_transaction(const json& command) {
    sql("CREATE TABLE IF NOT EXISTS numbers (n)");
    try {
      transaction([&] {
        sql("INSERT INTO numbers VALUES (?)", command.at("outer").get<int>());
        try {
          transaction([&] {
            sql("INSERT INTO numbers VALUES (?)", command.at("inner").get<int>());
            if (command.value("inner-throws", false)) throw std::runtime_error("inner");
          });
        } catch (const std::runtime_error&) {
        }
        if (command.value("outer-throws", false)) throw std::runtime_error("outer");
      });
    } catch (const std::runtime_error&) {
    }
    json numbers = json::array();
    for (const auto row : sql("SELECT n FROM numbers ORDER BY n"))
      numbers.push_back(row["n"].integer());
    return numbers;
  }
};
RINGROOM_AGENT(Vault)
