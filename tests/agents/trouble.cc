// TroubleAgent, QuietErrorAgent: agents of which something throws or closes when it is asked to.
#include "recorded.h"

#include <stdexcept>

using namespace ringroom;

class TroubleAgent final : public Agent {
 public:
  using Agent::Agent;

  void on_start(const json&) override {
    if (name().starts_with("bad-start")) throw std::runtime_error("start failed");
  }

  void on_connect(Connection& guest, const ConnectionContext& context) override {
    const std::string when = context.request().query("when").value_or("");
    if (when == "connect") throw std::runtime_error("connect failed");
    if (when == "reject") guest.close(4001, "Unauthorized");
    if (when == "1008") guest.close(CloseCode::policy_violation, "policy");
  }

  void on_message(Connection& from, Message message) override {
    const std::string_view text = message.is_text() ? message.text() : std::string_view();
    if (text == "throw") throw std::runtime_error("message failed");
    if (text.starts_with("close:")) {
      close(from, text.substr(6));
    } else if (text == "big") {
      from.send(std::string(200'000, 'x'));
    } else {
      from.send("echo " + recorded::describe(message));
    }
  }

  void on_close(Connection&, CloseCode code, std::string_view reason, bool clean) override {
    shelf_.put("lastClose", {{"code", number(code)}, {"reason", reason}, {"wasClean", clean}});
    if (reason == "throw-in-close") throw std::runtime_error("close handler failed");
  }

  Deferred<Response> on_request(const Request& request) override {
    if (request.query("throw")) throw std::runtime_error("request failed");
    if (request.query("last")) return Response::json(shelf_.get("lastClose"));
    return Response::text("ok");
  }

 private:
  // "4000:reason", "4000" or "".
  static void close(Connection& from, std::string_view how) {
    if (how.empty()) return from.close();
    const std::size_t colon = std::min(how.find(':'), how.size());
    const auto code = std::stoul(std::string(how.substr(0, colon)));
    from.close(static_cast<std::uint16_t>(code), how.substr(std::min(colon + 1, how.size())));
  }

  recorded::Shelf shelf_{*this};
};
RINGROOM_AGENT(TroubleAgent)

class QuietErrorAgent final : public Agent {
 public:
  using Agent::Agent;

  void on_error(Connection&, const Error& error) override { keep(error); }
  void on_error(const Error& error) override { keep(error); }

  void on_connect(Connection&, const ConnectionContext& context) override {
    if (context.request().query("throw")) throw std::runtime_error("connect failed");
  }

  void on_message(Connection& from, Message message) override {
    if (message.is_text() && message.text() == "throw") throw std::runtime_error("message failed");
    from.send("still here");
  }

  Deferred<Response> on_request(const Request& request) override {
    if (request.query("throw")) throw std::runtime_error("request failed");
    return Response::json({{"err", shelf_.get("err")}});
  }

 private:
  void keep(const Error& error) { shelf_.put("err", "Error: " + std::string(error.message())); }

  recorded::Shelf shelf_{*this};
};
RINGROOM_AGENT(QuietErrorAgent)
