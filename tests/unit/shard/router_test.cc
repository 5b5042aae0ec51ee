#include "shard/router.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace ringroom::shard {
namespace {

Config config_of(std::initializer_list<std::string_view> names) {
  Config config;
  for (const std::string_view name : names) {
    config.classes.emplace_back().name = name;
  }
  return config;
}

/// "Class room" of a destination, or the refusal: "400 Invalid request", "closed with 4401 …".
std::string outcome(Routed routed) {
  if (const auto* to = std::get_if<Destination>(&routed)) {
    return std::string(to->info->name) + " " + to->room;
  }
  if (const auto* response = std::get_if<Response>(&routed)) {
    return std::to_string(response->status()) + " " + response->body();
  }
  if (const auto* close = std::get_if<CloseAfterAccept>(&routed)) {
    return "closed with " + std::to_string(number(close->code)) + " " + close->reason;
  }
  return "nowhere";
}

std::string route(const Config& config, const Request& request) {
  agent_runtime::Watch watch;
  return outcome(Router(config, watch).route(request));
}

std::string route(const Config& config, std::string_view url) {
  return route(config, Request("GET", url));
}

// The classes of the recorded server (agents-wire §1.2).
Config recorded() {
  return config_of({"CounterAgent", "ChatRoom", "IoTAgent", "AIAssistant", "SCREAMING_COUNTER",
                    "under_score", "PlainAgent"});
}

TEST(Router, AgreesWithTheRecordedServer) {
  struct Case {
    std::string_view url;
    std::string_view outcome;
  };
  for (const Case& c : {
           Case{"/agents/nope/x", "400 Invalid request"},
           Case{"/agents/CounterAgent/x", "400 Invalid request"},
           Case{"/agents/counterAgent/x", "400 Invalid request"},
           Case{"/agents/counter-agent", "nowhere"},
           Case{"/agents/counter-agent/", "nowhere"},
           Case{"/agents", "nowhere"},
           Case{"/agents/", "nowhere"},
           Case{"/", "nowhere"},
           Case{"/other/counter-agent/x", "nowhere"},
           Case{"/AGENTS/counter-agent/x", "nowhere"},
           Case{"/agents//counter-agent//x", "CounterAgent x"},
           Case{"//agents/counter-agent/x", "CounterAgent x"},
           Case{"/agents/counter-agent/a%2Fb", "CounterAgent a%2Fb"},
           Case{"/agents/counter-agent/caf\xc3\xa9", "CounterAgent caf%C3%A9"},
           Case{"/agents/counter-agent/../chat-room/z", "ChatRoom z"},
           Case{"/agents/ai-assistant/x", "400 Invalid request"},
           Case{"/agents/a-i-assistant/x", "AIAssistant x"},
           Case{"/agents/aiassistant/x", "400 Invalid request"},
           Case{"/agents/io-t-agent/x", "IoTAgent x"},
           Case{"/agents/iot-agent/x", "400 Invalid request"},
           Case{"/agents/screaming-counter/x", "SCREAMING_COUNTER x"},
           Case{"/agents/SCREAMING_COUNTER/x", "400 Invalid request"},
           Case{"/agents/under-score/x", "under_score x"},
           Case{"/agents/under_score/x", "400 Invalid request"},
           Case{"/agents/constructor/x", "400 Invalid request"},
           Case{"/agents/__proto__/x", "400 Invalid request"},
           Case{"/agents/toString/x", "400 Invalid request"},
           Case{"/agents/plain-agent/x/deeper/path?_pk=1", "PlainAgent x"},
       }) {
    EXPECT_EQ(route(recorded(), c.url), c.outcome) << c.url;
  }
}

TEST(Router, TakesPrefixesInOrder) {
  Config config = recorded();
  config.prefixes = {"/api/v2", "/agents"};
  EXPECT_EQ(route(config, "/api/v2/counter-agent/x"), "CounterAgent x");
  EXPECT_EQ(route(config, "/agents/counter-agent/x"), "CounterAgent x");
  EXPECT_EQ(route(config, "/api/v2/agents/counter-agent/x"), "400 Invalid request");
  EXPECT_EQ(route(config, "/api/counter-agent/x"), "nowhere");
}

TEST(Router, FindsAClassByItsNameAndByItsSegmentOnly) {
  const Config config = recorded();
  agent_runtime::Watch watch;
  const Router router(config, watch);
  for (const auto& info : config.classes) EXPECT_EQ(router.find_class(info.name), &info);
  EXPECT_EQ(router.find_class("chat-room"), &config.classes[1]);
  EXPECT_EQ(router.find_class("io-t-agent"), &config.classes[2]);
  for (const char* name : {"chatRoom", "Chat_Room", "CHAT_ROOM", "iot-agent", ""}) {
    EXPECT_EQ(router.find_class(name), nullptr) << name;
  }
}

TEST(Router, AsksRoutesBeforePrefixesUntilOneDecides) {
  Config config = recorded();
  std::vector<int> asked;
  config.env["KEY"] = "value";
  config.routes.push_back({"/agents/chat-room", [&](const Request&, const HookContext&) {
                             asked.push_back(1);
                             return RouteDecision();
                           }});
  config.routes.push_back({"/agents", [&](const Request& request, const HookContext& context) {
                             asked.push_back(2);
                             EXPECT_EQ(context.env("KEY"), "value");
                             EXPECT_FALSE(context.env("OTHER"));
                             if (!request.query("to")) return RouteDecision();
                             return RouteDecision(RouteTarget{*request.query("to"), "\xc3\xa9"});
                           }});
  EXPECT_EQ(route(config, "/agents/chat-room/x"), "ChatRoom x");
  EXPECT_EQ(asked, (std::vector<int>{1, 2}));
  EXPECT_EQ(route(config, "/agents/chat-rooms/x?to=io-t-agent"), "IoTAgent \xc3\xa9");
  EXPECT_EQ(asked, (std::vector<int>{1, 2, 2}));
  EXPECT_EQ(route(config, "/agents?to=ChatRoom"), "ChatRoom \xc3\xa9");
}

TEST(Router, SaysWhatIsWrongWithARoute) {
  Config config = recorded();
  RouteDecision decision;
  config.routes.push_back({"/r", [&](const Request&, const HookContext&) { return decision; }});
  decision = RouteTarget{"Nobody", "x"};
  EXPECT_EQ(route(config, "/r"), "500 the route /r leads to class 'Nobody', which is not served");
  const std::string bad_name =
      "500 the route /r leads to a room whose name is not 1 to 1024 bytes of UTF-8";
  for (const std::string& name : {std::string(), std::string(1025, 'n'), std::string("\xff")}) {
    decision = RouteTarget{"ChatRoom", name};
    EXPECT_EQ(route(config, "/r"), bad_name);
  }
  decision = RouteTarget{"ChatRoom", "x", {{"A b", "c"}}};
  EXPECT_EQ(route(config, "/r"), "500 the route /r gives CORS headers that HTTP cannot carry");
  decision = CloseAfterAccept{CloseCode::abnormal, ""};
  EXPECT_EQ(route(config, "/r"),
            "500 the route /r closes with a code or reason that can't be sent");
  decision = CloseAfterAccept{close_code(4403), std::string(124, 'r')};
  EXPECT_EQ(route(config, "/r").substr(0, 4), "500 ");
  decision = CloseAfterAccept{close_code(4403), "no"};
  EXPECT_EQ(route(config, "/r"), "closed with 4403 no");
}

TEST(Router, TurnsWhatIsThrownIntoA500) {
  Config config = recorded();
  config.routes.push_back({"/r", [](const Request& request, const HookContext&) -> RouteDecision {
                             if (request.query("int")) throw 7;
                             throw std::runtime_error("no luck");
                           }});
  config.classes[0].before_connect = [](const Request&, const HookContext&) -> ConnectDecision {
    throw std::runtime_error("no luck either");
  };
  agent_runtime::Watch watch;
  Router router(config, watch);
  EXPECT_EQ(outcome(router.route(Request("GET", "/r"))), "500 no luck");
  EXPECT_EQ(outcome(router.route(Request("GET", "/r?int"))), "500 Unknown error occurred");
  EXPECT_FALSE(watch.inside());
  const ConnectDecision decision =
      router.before_connect({&config.classes[0], "x", {}}, Request("GET", "/"));
  EXPECT_EQ(std::get<Response>(*decision).body(), "no luck either");
  EXPECT_FALSE(watch.inside());
}

TEST(Router, NamesTheRunningHookToTheWatch) {
  static agent_runtime::Watch watch;
  static std::string label;
  Config config = recorded();
  config.classes[1].before_request = [](const Request&, const HookContext&) -> RequestDecision {
    label = watch.label();
    return std::nullopt;
  };
  Router router(config, watch);
  for (const char* room : {"lobby", "garden"}) {
    EXPECT_FALSE(router.before_request({&config.classes[1], room, {}}, Request("GET", "/")));
    EXPECT_EQ(label, std::string("ChatRoom/") + room);
  }
}

TEST(Router, LooksAtOriginsBeforeAnythingElse) {
  Config config = recorded();
  config.allow_origins = {"https://game.example", "null"};
  const auto from = [&](std::string_view path, std::string_view origin) {
    return route(config, Request("GET", path, {{"Origin", origin}})).substr(0, 3);
  };
  EXPECT_EQ(from("/agents/chat-room/x", "https://game.example"), "Cha");
  EXPECT_EQ(from("/agents/chat-room/x", "null"), "Cha");
  EXPECT_EQ(from("/agents/chat-room/x", "https://evil.example"), "403");
  EXPECT_EQ(from("/agents/nobody/x", "https://evil.example"), "403");
  EXPECT_EQ(from("/", "https://evil.example"), "now");
  EXPECT_EQ(route(config, "/agents/chat-room/x"), "ChatRoom x");
}

TEST(Router, ChoosesTheCorsHeaders) {
  Config config = recorded();
  config.classes[1].options.cors = true;
  config.classes[2].options.cors = true;
  config.classes[2].cors = {{"Access-Control-Allow-Origin", "https://game.example"}};
  config.routes.push_back({"/r", [](const Request&, const HookContext&) {
                             return RouteDecision(RouteTarget{"IoTAgent", "x", {{"X-One", "1"}}});
                           }});
  agent_runtime::Watch watch;
  Router router(config, watch);
  const auto cors = [&](std::string_view path) {
    return std::get<Destination>(router.route(Request("GET", path))).cors;
  };
  EXPECT_EQ(cors("/agents/counter-agent/x").size(), 0U);
  EXPECT_EQ(cors("/agents/chat-room/x").size(), 4U);
  ASSERT_EQ(cors("/agents/io-t-agent/x").size(), 1U);
  EXPECT_EQ(cors("/agents/io-t-agent/x")[0].value, "https://game.example");
  ASSERT_EQ(cors("/r").size(), 1U);
  EXPECT_EQ(cors("/r")[0].name, "X-One");
}

TEST(Status, OfACloseCode) {
  EXPECT_EQ(status_of(close_code(4401)), 401);
  EXPECT_EQ(status_of(close_code(4403)), 403);
  EXPECT_EQ(status_of(close_code(4499)), 499);
  for (const int code : {1000, 1008, 1011, 3000, 4000, 4399, 4500, 4999}) {
    EXPECT_EQ(status_of(static_cast<CloseCode>(code)), 403) << code;
  }
}

}  // namespace
}  // namespace ringroom::shard
