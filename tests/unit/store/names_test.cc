#include "store/names.h"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ringroom::store {
namespace {

TEST(DatabaseName, TellsClassAndRoom) {
  const std::string name = database_name("ChatRoom", "lobby-2");
  EXPECT_TRUE(name.starts_with("ChatRoom/")) << name;
  EXPECT_TRUE(name.ends_with("/lobby-2.db")) << name;
  EXPECT_EQ(name.size(), std::string("ChatRoom/123/lobby-2.db").size());
}

TEST(DatabaseName, StaysInItsFolder) {
  const std::string rooms[] = {"..", ".", "../../etc/passwd", "a/b", std::string("\0x", 2)};
  for (const std::string& room : rooms) {
    const std::string name = database_name("Lab", room);
    EXPECT_EQ(std::count(name.begin(), name.end(), '/'), 2) << name;
    EXPECT_EQ(name.find('.'), name.size() - 3) << name;
    EXPECT_EQ(name.find('\0'), std::string::npos);
  }
}

TEST(DatabaseName, NoTwoRoomsShareAFile) {
  const std::string long_a(1024, 'a');
  std::string long_b = long_a;
  long_b.back() = 'b';
  std::set<std::string> names;
  const std::string rooms[] = {"a",   "A",   "%41", "a%20b",    "a b", "a+b",  "",    "=",
                               "a.b", "a_b", "a-b", "\xc3\xa4", "ae",  long_a, long_b};
  for (const std::string& room : rooms) {
    const std::string name = database_name("Lab", room);
    EXPECT_LE(name.substr(name.rfind('/') + 1).size(), 255U);
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(DatabaseName, TellsTheRoom) {
  for (const std::string room : {"a", "a b", "%41", "\xc3\xa4.b", "=", "_-"}) {
    const auto parsed = parse_database_name(database_name("Lab", room));
    ASSERT_TRUE(parsed) << room;
    EXPECT_EQ(parsed->class_name, "Lab");
    EXPECT_EQ(parsed->room, room);
  }
  const auto hashed = parse_database_name(database_name("Lab", std::string(900, 'x')));
  ASSERT_TRUE(hashed);
  EXPECT_EQ(hashed->room, std::nullopt);
  for (const char* other : {"", "x.db", "Lab/x.db", "Lab/abc/x", "Lab/abc/.db", "Lab/abc/%4.db",
                            "Lab/abc/%4G.db", "Lab/abc/a b.db", "/abc/x.db"}) {
    EXPECT_FALSE(parse_database_name(other)) << other;
  }
}

TEST(DatabaseName, IsTheSameWithEveryVersion) {
  EXPECT_EQ(database_name("Lab", "x"), "Lab/2d7/x.db");
}

}  // namespace
}  // namespace ringroom::store
