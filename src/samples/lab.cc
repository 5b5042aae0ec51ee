// Lab: lets a test see inside of a room. Text commands, JSON in and out: {"op":"info"}.
#include <ringroom/ringroom.h>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

using namespace ringroom;

namespace {

// How often each room was constructed since the server started. Rooms of one class live on several
// shards, each a thread: what they share needs a lock. Kept small, so that who measures the memory
// of sleeping rooms measures theirs: a table of 12 bytes a slot, by the name's hash of 64 bits.
class Constructions {
 public:
  std::uint32_t count(std::string_view room) {
    const std::lock_guard lock(mutex_);
    if (used_ >= hashes_.size() / 8 * 7) grow();
    const std::size_t slot = find(std::hash<std::string_view>()(room));
    if (counts_[slot] == 0) ++used_;
    return ++counts_[slot];
  }

 private:
  // Where it is, or is to be.
  std::size_t find(std::size_t hash) {
    std::size_t slot = hash % hashes_.size();
    while (counts_[slot] != 0 && hashes_[slot] != hash) slot = (slot + 1) % hashes_.size();
    hashes_[slot] = hash;
    return slot;
  }

  void grow() {
    const std::size_t slots = std::max<std::size_t>(64, hashes_.size() * 2);
    const auto old_hashes = std::exchange(hashes_, std::vector<std::size_t>(slots));
    const auto old_counts = std::exchange(counts_, std::vector<std::uint32_t>(slots));
    for (std::size_t i = 0; i < old_hashes.size(); ++i) {
      if (old_counts[i] != 0) counts_[find(old_hashes[i])] = old_counts[i];
    }
  }

  std::mutex mutex_;
  std::vector<std::size_t> hashes_;
  std::vector<std::uint32_t> counts_;  // 0: the slot is free
  std::size_t used_ = 0;
};
Constructions constructions;

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const std::byte byte : bytes) {
    hex += digits[std::to_integer<std::size_t>(byte >> 4)];
    hex += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return hex;
}

std::uint8_t digit(char character) {
  if (character >= '0' && character <= '9') return static_cast<std::uint8_t>(character - '0');
  const char small = static_cast<char>(character | 0x20);
  if (small >= 'a' && small <= 'f') return static_cast<std::uint8_t>(small - 'a' + 10);
  throw std::invalid_argument("hex must have digits 0-9 and a-f only");
}

std::vector<std::byte> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) throw std::invalid_argument("hex must have two digits for each byte");
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(digit(hex[i]) << 4U | digit(hex[i + 1])));
  }
  return bytes;
}

struct Shown {
  json operator()(std::monostate) const { return nullptr; }
  json operator()(const SqlValue::Blob& blob) const { return {{"hex", to_hex(blob)}}; }
  template <typename Plain>
  json operator()(const Plain& plain) const {
    return plain;
  }
};

}  // namespace

class Lab final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  void on_start(const json&) override {
    instance_ = constructions.count(name());
    ++starts_;
  }

  void on_connect(Connection&, const ConnectionContext&) override { ++connects_; }

  bool should_send_protocol_messages(Connection&, const ConnectionContext& context) override {
    return context.request().query("protocol") == "on";
  }

  void on_alarm() override { broadcast(json{{"alarm", true}}); }

  std::vector<std::string> connection_tags(Connection&, const ConnectionContext& context) override {
    const std::string list = context.request().query("tags").value_or("");
    std::vector<std::string> tags;
    if (list.empty()) return tags;
    std::size_t from = 0;
    for (std::size_t comma = 0; comma != std::string::npos; from = comma + 1) {
      comma = list.find(',', from);
      tags.push_back(list.substr(from, comma - from));
    }
    return tags;
  }

  void on_message(Connection& from, Message message) override {
    json answer;
    std::string to_throw;
    try {
      if (!message.is_text()) throw std::invalid_argument("commands are text");
      const json command = json::parse(message.text());
      const auto& op = command.at("op").get_ref<const std::string&>();
      if (op == "throw") {
        to_throw = command.value("text", "thrown by request");
      } else {
        answer = run(op, from, command);
      }
    } catch (const std::exception& error) {
      answer = {{"error", error.what()}};
    }
    if (!to_throw.empty()) throw std::runtime_error(to_throw);
    // Parse errors quote what they met, which may be half a character.
    if (!answer.is_null()) {
      from.send(answer.dump(-1, ' ', false, json::error_handler_t::replace));
    }
  }

 private:
  using Operation = json (Lab::*)(Connection& from, const json& command);

  // The answer; null for none.
  json run(const std::string& op, Connection& from, const json& command) {
    static const std::map<std::string, Operation> operations = {
        {"info", &Lab::info},
        {"attach", &Lab::attach},
        {"attachment", &Lab::attachment},
        {"tags", &Lab::tags},
        {"uri", &Lab::uri},
        {"list", &Lab::list},
        {"broadcast", &Lab::send_to_all},
        {"close", &Lab::close},
        {"tick", &Lab::tick},
        {"why", &Lab::why},
        {"alarm", &Lab::set_the_alarm},
        {"auto-response", &Lab::answer_automatically},
        {"auto-response-timestamp", &Lab::timestamp},
        {"event-timeout", &Lab::limit_events},
        {"sql", &Lab::query},
    };
    if (const auto found = operations.find(op); found != operations.end()) {
      return (this->*found->second)(from, command);
    }
    throw std::invalid_argument("there is no operation " + op);
  }

  json info(Connection&, const json&) {
    return {{"instance", instance_},
            {"starts", starts_},
            {"connects", connects_},
            {"connections", connections().size()},
            {"hibernated_before", instance_ > 1}};
  }

  json attach(Connection& from, const json& command) {
    from.set_attachment(from_hex(command.at("hex").get_ref<const std::string&>()));
    return ok;
  }

  json attachment(Connection& from, const json&) {
    if (from.attachment().empty()) return {{"hex", nullptr}};
    return {{"hex", to_hex(from.attachment())}};
  }

  json tags(Connection& from, const json&) { return {{"tags", from.tags()}}; }

  json uri(Connection& from, const json&) { return {{"uri", from.uri()}}; }

  json list(Connection&, const json& command) {
    json ids = json::array();
    for (const Connection& each : connections(command.value("tag", ""))) ids.push_back(each.id());
    return {{"ids", ids}};
  }

  json send_to_all(Connection&, const json& command) {
    const auto without = command.value("without", std::vector<std::string>());
    const std::string tag = command.value("tag", "");
    broadcast(command.at("text").get_ref<const std::string&>(), {.without = without, .tag = tag});
    return nullptr;
  }

  json close(Connection& from, const json& command) {
    const std::string reason = command.value("reason", "");
    if (!command.contains("code")) {
      from.send(ok);
      from.close();
      return nullptr;
    }
    const int code = command["code"].get<int>();
    if (code < 0 || code > UINT16_MAX) {
      throw std::invalid_argument("Invalid WebSocket close code: " + std::to_string(code) + ".");
    }
    const CloseCode to_send = close_code(static_cast<std::uint16_t>(code));
    // The answer goes first, since nothing can follow a close; a refused close answers by its
    // error.
    if (may_be_sent(to_send) && reason.size() <= limits::close_reason_bytes_max) from.send(ok);
    from.close(to_send, reason);
    return nullptr;
  }

  json tick(Connection&, const json& command) {
    set_tick_rate(command.at("hz").get<double>());
    return ok;
  }

  json why(Connection&, const json&) { return {{"awake", why_awake()}}; }

  json set_the_alarm(Connection&, const json& command) {
    set_alarm(now_ms() + command.at("ms").get<std::int64_t>());
    return ok;
  }

  json answer_automatically(Connection&, const json& command) {
    if (!command.contains("request") || command["request"].is_null()) {
      set_auto_response();
    } else {
      set_auto_response(command["request"].get_ref<const std::string&>(),
                        command.at("response").get_ref<const std::string&>());
    }
    return ok;
  }

  json timestamp(Connection& from, const json&) {
    const auto at_ms = auto_response_timestamp(from);
    return {{"timestamp", at_ms ? json(*at_ms) : json()}};
  }

  json limit_events(Connection&, const json& command) {
    set_event_timeout(std::chrono::milliseconds(command.at("ms").get<std::int64_t>()));
    return ok;
  }

  json query(Connection&, const json& command) {
    std::vector<SqlValue> values;
    for (const json& param : command.value("params", json::array())) values.push_back(bound(param));
    const SqlRows rows = run_sql(command.at("query").get_ref<const std::string&>(), values);
    json answer = json::array();
    for (const SqlRows::Row row : rows) {
      json& object = answer.emplace_back(json::object());
      for (std::size_t i = 0; i < row.size(); ++i)
        object[rows.columns()[i]] = std::visit(Shown(), row[i].any());
    }
    return {{"rows", answer}};
  }

  // As the Agents SDK binds: what is neither number nor text nor null by its text.
  static SqlValue bound(const json& param) {
    if (param.is_null()) return nullptr;
    if (param.is_string()) return param.get_ref<const std::string&>();
    if (param.is_number_integer()) return param.get<std::int64_t>();
    if (param.is_number()) return param.get<double>();
    return param.dump();
  }

  const json ok = {{"ok", true}};
  std::uint32_t instance_ = 0;
  int starts_ = 0;
  int connects_ = 0;
};
RINGROOM_AGENT(Lab)
