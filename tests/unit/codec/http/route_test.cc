#include "codec/http/route.h"

#include "ringroom/request.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace ringroom::codec::http {
namespace {

TEST(Kebab, FollowsTheRuleOfTheSdk) {
  struct Case {
    std::string_view class_name;
    std::string_view segment;
  };
  for (const Case& c :
       {Case{"CounterAgent", "counter-agent"}, Case{"ChatRoom", "chat-room"},
        Case{"IoTAgent", "io-t-agent"}, Case{"AIAssistant", "a-i-assistant"},
        Case{"SCREAMING_COUNTER", "screaming-counter"}, Case{"under_score", "under-score"},
        Case{"already-kebab", "already-kebab"}, Case{"Echo", "echo"}, Case{"Lab", "lab"},
        Case{"Room2", "room2"}, Case{"A", "a"}, Case{"AB", "ab"}, Case{"a", "a"}, Case{"2D", "2d"},
        Case{"Trailing_", "trailing"}, Case{"_Leading", "--leading"},
        Case{"Two__Parts", "two---parts"}, Case{"42", "42"}, Case{"", ""}}) {
    EXPECT_EQ(kebab(c.class_name), c.segment) << c.class_name;
  }
}

/// "class room" of a match, "none" or "too long".
std::string route(std::string_view target, std::string_view prefix = "agents") {
  const Request request("GET", target);
  const Route found = parse_agent_path(request.path(), prefix);
  switch (found.kind) {
    case RouteKind::none: return "none";
    case RouteKind::agent: return std::string(found.class_segment) + " " + std::string(found.room);
    case RouteKind::room_name_too_long: return "too long";
  }
  return "";
}

TEST(Route, AgreesWithTheRecordedServer) {
  struct Case {
    std::string_view target;
    std::string_view found;
  };
  for (const Case& c : {Case{"/agents/nope/x", "nope x"},
                        Case{"/agents/CounterAgent/x", "CounterAgent x"},
                        Case{"/agents/counter-agent", "none"},
                        Case{"/agents/counter-agent/", "none"},
                        Case{"/agents", "none"},
                        Case{"/agents/", "none"},
                        Case{"/", "none"},
                        Case{"/other/counter-agent/x", "none"},
                        Case{"/AGENTS/counter-agent/x", "none"},
                        Case{"/agents//counter-agent//x", "counter-agent x"},
                        Case{"//agents/counter-agent/x", "counter-agent x"},
                        Case{"/agents/counter-agent/sp%20ace", "counter-agent sp%20ace"},
                        Case{"/agents/counter-agent/caf%C3%A9", "counter-agent caf%C3%A9"},
                        Case{"/agents/counter-agent/caf\xc3\xa9", "counter-agent caf%C3%A9"},
                        Case{"/agents/counter-agent/a%2Fb", "counter-agent a%2Fb"},
                        Case{"/agents/counter-agent/../chat-room/z", "chat-room z"},
                        Case{"/agents/constructor/x", "constructor x"},
                        Case{"/agents/__proto__/x", "__proto__ x"},
                        Case{"/agents/plain-agent/x/deeper/path?_pk=1", "plain-agent x"},
                        Case{"/agents/echo/x/", "echo x"},
                        Case{"/agents/echo/?x", "none"},
                        Case{"/agents/echo/..", "none"},
                        Case{"/agents/echo/x?a=/b/c", "echo x"}}) {
    EXPECT_EQ(route(c.target), c.found) << c.target;
  }
}

TEST(Route, TakesPrefixesOfSeveralSegments) {
  EXPECT_EQ(route("/api/v2/counter-agent/x", "api/v2"), "counter-agent x");
  EXPECT_EQ(route("/api/v2/agents/counter-agent/x", "/api/v2/"), "agents counter-agent");
  EXPECT_EQ(route("/api/counter-agent/x", "api/v2"), "none");
  EXPECT_EQ(route("/counter-agent/x", ""), "counter-agent x");
}

TEST(Route, IsBelowAPathBySegments) {
  EXPECT_TRUE(is_below("/user", "/user"));
  EXPECT_TRUE(is_below("//user//settings", "user/"));
  EXPECT_TRUE(is_below("/anything", "/"));
  EXPECT_FALSE(is_below("/users", "/user"));
  EXPECT_FALSE(is_below("/User", "/user"));
  EXPECT_FALSE(is_below("/", "/user"));
}

TEST(Route, NormalisesPathsAsUrls) {
  EXPECT_EQ(normalise_path("api/v2"), "/api/v2");
  EXPECT_EQ(normalise_path("/api/../caf\xc3\xa9"), "/caf%C3%A9");
  EXPECT_EQ(normalise_path(""), "/");
  EXPECT_EQ(normalise_path("//x//y/"), "/x/y");
  EXPECT_EQ(normalise_path("//"), "/");
  EXPECT_EQ(normalise_path("a?b"), std::nullopt);
  EXPECT_EQ(normalise_path("a#b"), std::nullopt);
  EXPECT_EQ(normalise_path("a\nb"), std::nullopt);
}

TEST(Route, MatchesForHandlersToo) {
  const auto target = match_agent_path("/api/v2/chat-room/a%2Fb/more", "api/v2");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->agent, "chat-room");
  EXPECT_EQ(target->name, "a%2Fb");
  EXPECT_FALSE(match_agent_path("/agents/chat-room"));
}

TEST(Route, BoundsTheRoomsName) {
  EXPECT_EQ(route("/agents/echo/" + std::string(1024, 'n')), "echo " + std::string(1024, 'n'));
  EXPECT_EQ(route("/agents/echo/" + std::string(1025, 'n')), "too long");
}

}  // namespace
}  // namespace ringroom::codec::http
