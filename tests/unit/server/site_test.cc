#include "server/site.h"

#include "ringroom/request.h"

#include <array>

#include <gtest/gtest.h>

namespace ringroom::server {
namespace {

Site two_classes() {
  std::array<detail::AgentClassInfo, 2> classes;
  classes[0].name = "ChatRoom";
  classes[1].name = "IoTAgent";
  return Site(classes, "/agents");
}

TEST(Site, ListsTheClassesThatRun) {
  const Response page = two_classes().answer(Request("GET", "/"));
  EXPECT_EQ(page.status(), 200);
  EXPECT_EQ(page.header("Content-Type"), "text/html;charset=UTF-8");
  EXPECT_NE(page.body().find("/agents/chat-room/{room}"), std::string::npos);
  EXPECT_NE(page.body().find("data-class=\"IoTAgent\" data-segment=\"io-t-agent\""),
            std::string::npos);
  EXPECT_EQ(page.body().find("<!--classes-->"), std::string::npos);
}

TEST(Site, LeadsToWhereRoomsAre) {
  std::array<detail::AgentClassInfo, 1> classes;
  classes[0].name = "ChatRoom";
  const Response page = Site(classes, "/api/v2").answer(Request("GET", "/"));
  EXPECT_NE(page.body().find("/api/v2/chat-room/{room}"), std::string::npos);
  EXPECT_NE(page.body().find("`/api/v2/chat-room/${room}"), std::string::npos);
  EXPECT_EQ(page.body().find("/agents/"), std::string::npos);
  const Response root = Site(classes, "/").answer(Request("GET", "/"));
  EXPECT_NE(root.body().find("<code>/chat-room/{room}"), std::string::npos);
}

TEST(Site, HasAnIcon) {
  const Response icon = two_classes().answer(Request("GET", "/favicon.ico"));
  EXPECT_EQ(icon.status(), 200);
  EXPECT_EQ(icon.header("Content-Type"), "image/svg+xml");
}

TEST(Site, FindsNothingElse) {
  for (const char* path : {"/index.html", "/agents", "/agents/chat-room", "/AGENTS/x/y"}) {
    const Response answer = two_classes().answer(Request("GET", path));
    EXPECT_EQ(answer.status(), 404) << path;
    EXPECT_EQ(answer.body(), "Not found") << path;
  }
}

TEST(Site, IsOnlyForReading) {
  EXPECT_EQ(two_classes().answer(Request("HEAD", "/")).status(), 200);
  const Response answer = two_classes().answer(Request("POST", "/"));
  EXPECT_EQ(answer.status(), 405);
  EXPECT_EQ(answer.header("Allow"), "GET, HEAD");
}

}  // namespace
}  // namespace ringroom::server
