// RawSocket: the recorded Durable Object without the SDK. Text commands ("tags red", "close 4000
// bye"), JSON out; what it doesn't know it echoes.
#include "recorded.h"

#include <algorithm>
#include <stdexcept>

using namespace ringroom;

namespace {

// The names that JavaScript gives to what went wrong.
std::string with_name(const std::exception& error) {
  const std::string_view text = error.what();
  const auto begins = [&](std::string_view with) { return text.substr(0, with.size()) == with; };
  std::string_view name = "Error: ";
  if (begins("Invalid WebSocket close code")) name = "InvalidAccessError: ";
  if (begins("WebSocket close reason")) name = "SyntaxError: ";
  if (begins("Request cannot") || begins("Response cannot")) name = "RangeError: ";
  return std::string(name).append(text);
}

struct Command {
  explicit Command(std::string_view text) {
    std::size_t space = text.find(' ');
    name = text.substr(0, space);
    if (space == std::string_view::npos) return;
    rest = text.substr(space + 1);
    space = std::min(rest.find(' '), rest.size());
    first = rest.substr(0, space);
    others = rest.substr(std::min(space + 1, rest.size()));
  }
  std::string name;
  std::string rest;
  std::string first;
  std::string others;
};

}  // namespace

class RawSocket final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false};

  void on_start(const json&) override {
    constructions_ = shelf_.count("ctor");
    set_auto_response("ping", "pong");
  }

  // acceptWebSocket lets equal tags collapse.
  std::vector<std::string> connection_tags(Connection&, const ConnectionContext& context) override {
    std::vector<std::string> tags;
    for (std::string& tag : recorded::tags_by_size(context.request())
                                .value_or(recorded::query_all(context.request(), "tag"))) {
      if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(std::move(tag));
    }
    return tags;
  }

  void on_message(Connection& from, Message message) override {
    if (message.is_binary()) {
      from.send(message);
      return;
    }
    if (message.text() == "throw") throw std::runtime_error("user threw");
    try {
      obey(from, Command(message.text()), message);
    } catch (const std::exception& error) {
      from.send(json{{"error", with_name(error)}});
    }
  }

  void on_close(Connection& guest, CloseCode code, std::string_view why, bool clean) override {
    note({{"close",
           {{"code", number(code)},
            {"reason", why},
            {"wasClean", clean},
            {"readyState", static_cast<int>(guest.ready_state())},
            {"attachment", attachment_of(guest)},
            {"listed", connections("", include_closing).size()}}}});
    if (why == "noreply") return;
    try {
      guest.close(code, why);
    } catch (const std::exception& error) {
      note({{"closeReplyError", with_name(error)}});
    }
  }

  Deferred<Response> on_request(const Request&) override {
    const json log = shelf_.get("log");
    return Response::json({{"ctor", constructions_},
                           {"sockets", connections().size()},
                           {"log", log.is_null() ? json::array() : log}});
  }

 private:
  void obey(Connection& from, const Command& command, Message message) {
    if (command.name == "close") return close(from, command);
    if (command.name == "closethensend") return close_then_send(from);
    if (command.name == "bcast") {
      const std::string tag = command.first == "*" ? "" : command.first;
      return broadcast(command.others, {.tag = tag});
    }
    json answer = {{"echo", message.text()}};
    if (command.name == "tags") answer = tags(from, command.rest);
    if (command.name.starts_with("attach")) answer = attach(from, command);
    if (command.name == "read") answer = {{"attachment", attachment_of(from)}};
    if (command.name.ends_with("auto")) answer = change_auto_response(command);
    if (command.name == "autolen") {
      set_auto_response(std::string(std::stoul(command.first), 'q'),
                        std::string(std::stoul(command.others), 'r'));
      answer = {{"ok", true}};
    }
    if (command.name == "ts") answer = {{"ts", answered_at(from)}};
    if (command.name == "timeout") {
      set_event_timeout(std::chrono::milliseconds(std::stoll(command.rest)));
      answer = {{"ok", event_timeout()->count()}};
    }
    if (command.name == "state") {
      answer = {{"readyState", static_cast<int>(from.ready_state())},
                {"url", nullptr},
                {"protocol", ""},
                {"extensions", ""},
                {"ctor", constructions_}};
    }
    from.send(answer);
  }

  static void close(Connection& from, const Command& command) {
    if (command.first.empty()) return from.close();
    from.close(static_cast<std::uint16_t>(std::stoul(command.first)), command.others);
  }

  void close_then_send(Connection& from) {
    from.close(CloseCode::normal, "bye");
    if (from.send("late") != SendResult::closed) return;
    const std::string text = "TypeError: Can't call WebSocket send() after close().";
    note({{"sendFailed", text}, {"original", text}});
  }

  // The id, which only the SDK makes a tag, is not told.
  json tags(const Connection& from, std::string_view bound) const {
    const std::vector<std::string_view> all = from.tags();
    const std::size_t count = connections(bound, include_closing).size();
    return {{"tags", std::vector(all.begin() + 1, all.end())}, {"bound", count}};
  }

  static json attach(Connection& from, const Command& command) {
    const std::size_t size = command.name == "attach" ? 0 : std::stoul(command.rest);
    if (command.name == "attachbuf") {
      from.set_attachment(std::span<const std::byte>(std::vector<std::byte>(size)));
      return {{"ok", from.attachment().size()}};
    }
    if (command.name == "attachlen") {
      from.set_attachment(json(std::string(size, 'a')));
      return {{"ok", attachment_of(from).get_ref<const std::string&>().size()}};
    }
    from.set_attachment(json::parse(command.rest));
    return {{"ok", attachment_of(from)}};
  }

  // Bytes are told as JavaScript tells a Uint8Array; JSON begins with no NUL.
  static json attachment_of(const Connection& connection) {
    const std::span<const std::byte> bytes = connection.attachment();
    if (bytes.empty()) return nullptr;
    if (bytes[0] != std::byte{0}) {
      const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
      return json::parse(text);
    }
    json object = json::object();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      object[std::to_string(i)] = std::to_integer<int>(bytes[i]);
    }
    return object;
  }

  json change_auto_response(const Command& command) {
    if (command.name == "getauto") {
      const std::optional<AutoResponse> pair = auto_response();
      if (!pair) return nullptr;
      return {{"request", pair->request}, {"response", pair->response}};
    }
    if (command.name == "setauto") set_auto_response(command.first, command.others);
    if (command.name == "clearauto") set_auto_response();
    return {{"ok", true}};
  }

  json answered_at(const Connection& from) const {
    const std::optional<std::int64_t> at = auto_response_timestamp(from);
    if (!at) return nullptr;
    return {{"isDate", true}, {"ageMs", now_ms() - *at}};
  }

  void note(const json& line) {
    json log = shelf_.get("log");
    log.push_back(line);
    shelf_.put("log", log);
  }

  recorded::Shelf shelf_{*this};
  int constructions_ = 0;
};
RINGROOM_AGENT(RawSocket)
