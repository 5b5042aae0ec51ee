#include "server/plugins.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

namespace ringroom::server {
namespace {

// The path of a shared object that was built for these tests (see meson.build).
std::string built(const char* variable) {
  const char* const path = std::getenv(variable);
  EXPECT_NE(path, nullptr) << variable;
  return path == nullptr ? "" : path;
}

Classes gather(const std::vector<std::string>& files, detail::Registration* own = nullptr) {
  return gather_classes({detail::this_abi(), own, nullptr}, files);
}

detail::Registration registration(std::string_view name, detail::Registration* next = nullptr) {
  detail::Registration made;
  made.info.name = name;
  made.next = next;
  return made;
}

TEST(Plugins, BringTheirClassesBesideTheProgramsOwn) {
  detail::Registration zoo = registration("Zoo");
  detail::Registration arena = registration("Arena", &zoo);
  const Classes classes = gather({built("PLUGIN_GOOD")}, &arena);
  ASSERT_EQ(classes.error, "");
  ASSERT_EQ(classes.all.size(), 3U);
  EXPECT_EQ(classes.all[0].name, "Arena");
  EXPECT_EQ(classes.all[1].name, "ChessGame");
  EXPECT_EQ(classes.all[1].options.tick_hz, 5);
  EXPECT_EQ(classes.all[2].name, "Zoo");
}

TEST(Plugins, AreLookedForInTheWorkingDirectory) {
  const std::filesystem::path good = built("PLUGIN_GOOD");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(good.parent_path());
  EXPECT_EQ(gather({good.filename()}).error, "");
  std::filesystem::current_path(before);
}

TEST(Plugins, OfAnotherInterfaceAreRefusedNamingBoth) {
  const std::string error = gather({built("PLUGIN_OTHER_ABI")}).error;
  EXPECT_TRUE(error.starts_with(built("PLUGIN_OTHER_ABI") +
                                " was built against another Ringroom: its interface number is "
                                "4000, the server's is "))
      << error;
}

TEST(Plugins, ThatAreNoneAreRefused) {
  EXPECT_NE(gather({built("PLUGIN_STRANGER")}).error.find("is no shared object of agents"),
            std::string::npos);
  EXPECT_NE(gather({built("PLUGIN_SILENT")}).error.find("announces no class of agents"),
            std::string::npos);
}

TEST(Plugins, WithAMissingSymbolAreRefusedNamingIt) {
  const std::string error = gather({built("PLUGIN_UNRESOLVED")}).error;
  EXPECT_NE(error.find("it needs elsewhere::missing(int), which this server"), std::string::npos)
      << error;
}

TEST(Plugins, ThatCannotBeReadAreRefused) {
  const std::string error = gather({"/nonexistent/game.so"}).error;
  EXPECT_TRUE(error.starts_with("can't load /nonexistent/game.so: ")) << error;
}

TEST(Classes, WithOneUrlAreRefused) {
  detail::Registration first = registration("ChatRoom");
  detail::Registration second = registration("chat-room", &first);
  EXPECT_EQ(gather({}, &second).error,
            "/agents/chat-room would be both class chat-room of this program and class ChatRoom of "
            "this program; rename one");
  const std::string twice = built("PLUGIN_GOOD");
  EXPECT_EQ(gather({twice, twice}).error, "/agents/chess-game would be both class ChessGame of " +
                                              twice + " and class ChessGame of " + twice +
                                              "; rename one");
}

TEST(Classes, WithAnImpossibleTickAreRefused) {
  detail::Registration fast = registration("Fast");
  fast.info.options.tick_hz = 1001;
  EXPECT_NE(gather({}, &fast).error.find("class Fast asks for tick_hz 1001"), std::string::npos);
  fast.info.options.tick_hz = -1;
  EXPECT_NE(gather({}, &fast).error, "");
}

TEST(Classes, WithCorsHeadersThatCannotBeSentAreRefused) {
  detail::Registration split = registration("Split");
  split.info.cors = {{"Access-Control-Allow-Origin", "a\r\nSet-Cookie: b"}};
  EXPECT_EQ(gather({}, &split).error, "class Split gives CORS headers that HTTP cannot carry");
}

TEST(Classes, InheritTheRoomsOfOneThatIsGone) {
  detail::Registration heir = registration("Heir");
  heir.info.options.renamed_from = "Old";
  EXPECT_EQ(gather({}, &heir).error, "");
  detail::Registration old = registration("Old", &heir);
  EXPECT_EQ(gather({}, &old).error,
            "class Heir is renamed_from Old, which is served too; take one of them away");
  detail::Registration rival = registration("Rival", &heir);
  rival.info.options.renamed_from = "Old";
  EXPECT_EQ(gather({}, &rival).error,
            "both class Heir and class Rival are renamed_from Old; only one can have its rooms");
  detail::Registration own = registration("Own");
  own.info.options.renamed_from = "Own";
  EXPECT_EQ(gather({}, &own).error,
            "class Own is renamed_from Own, which is served too; take one of them away");
}

TEST(Routes, ComeInTheOrderOfTheirAnnouncement) {
  const RouteHandler pass = [](const Request&, const HookContext&) { return RouteDecision(); };
  detail::RouteRegistration first{{"user", pass}};
  detail::RouteRegistration second{{"/caf\xc3\xa9/", pass}, &first};
  const Classes classes = gather_classes({detail::this_abi(), nullptr, &second}, {});
  ASSERT_EQ(classes.error, "");
  ASSERT_EQ(classes.routes.size(), 2U);
  EXPECT_EQ(classes.routes[0].path, "/user");
  EXPECT_EQ(classes.routes[1].path, "/caf%C3%A9");
  detail::RouteRegistration bad{{"/a?b", pass}};
  EXPECT_EQ(gather_classes({detail::this_abi(), nullptr, &bad}, {}).error,
            "the route '/a?b' of this program is no path of a URL");
}

TEST(Abi, FitsItself) {
  EXPECT_EQ(compare_abi(detail::this_abi(), detail::this_abi()), "");
}

TEST(Abi, IsComparedFieldByField) {
  const detail::Abi ours = detail::this_abi();
  const auto with = [&ours](auto change) {
    detail::Abi theirs = ours;
    change(theirs);
    return compare_abi(theirs, ours);
  };
  EXPECT_TRUE(with([](detail::Abi& abi) {
                abi.version = "9.9.9";
              }).starts_with("its version is 9.9.9, the server's is "));
  EXPECT_TRUE(with([](detail::Abi& abi) {
                abi.json = "1.2.3";
              }).starts_with("its nlohmann::json is 1.2.3, the server's is "));
  for (auto member :
       {&detail::Abi::agent_bytes, &detail::Abi::connection_bytes, &detail::Abi::request_bytes}) {
    const std::string error = with([member](detail::Abi& abi) {
      abi.*member += 8;
      abi.compiler = "cc 1.0";
    });
    EXPECT_NE(error.find(std::to_string(ours.*member + 8)), std::string::npos) << error;
    EXPECT_NE(error.find("compiled by cc 1.0, the server by "), std::string::npos) << error;
  }
}

TEST(Abi, OfAnotherInterfaceIsNotReadFurther) {
  detail::Abi theirs = detail::this_abi();
  ++theirs.interface_number;
  theirs.version = nullptr;
  theirs.json = nullptr;
  EXPECT_NE(compare_abi(theirs, detail::this_abi()), "");
}

}  // namespace
}  // namespace ringroom::server
