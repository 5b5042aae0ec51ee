#include "load/script.h"

#include "load/plan.h"

#include <cstdio>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include <unistd.h>

namespace ringroom::load {
namespace {

// A file for the time of a test.
class File {
 public:
  explicit File(const std::string& text)
      : path_(testing::TempDir() + "script-" + std::to_string(getpid())) {
    std::ofstream(path_) << text;
  }
  ~File() { std::remove(path_.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

constexpr const char* head = "{\"recording\":1,\"class\":\"Relay\",\"room\":\"x\"}\n";

TEST(Script, HasWhoSaidWhatAndWhen) {
  const File file(std::string(head) +
                  "{\"at_us\":5,\"from\":0,\"text\":\"h\\u00e9\"}\n"
                  "{\"at_us\":7,\"from\":2,\"base64\":\"AP8B\"}\n"
                  "{\"at_us\":90,\"end\":\"time\"}\n");
  const base::Parsed<Script> script = read_script(file.path());
  ASSERT_TRUE(script.value) << script.error;
  ASSERT_EQ(script.value->lines.size(), 2U);
  const Script::Line& text = script.value->lines[0];
  EXPECT_EQ(text.at_ns, 5000U);
  EXPECT_TRUE(text.is_text);
  EXPECT_EQ(script.value->message(text).size(), 3U);
  const Script::Line& binary = script.value->lines[1];
  EXPECT_EQ(binary.member, 2U);
  EXPECT_FALSE(binary.is_text);
  EXPECT_EQ(script.value->message(binary)[1], std::byte{0xff});
  EXPECT_EQ(script.value->members, 3U);
  EXPECT_EQ(script.value->length_ns, 90'000U);
}

TEST(Script, WhatIsNoRecordingIsRefusedWithTheLine) {
  const std::string line = "{\"at_us\":5,\"from\":0,\"text\":\"a\"}\n";
  const std::string end = "{\"at_us\":9,\"end\":\"time\"}\n";
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "no recording"},
      {"{}\n", "no recording"},
      {head + line, "cut off"},
      {head + end, "nobody spoke"},
      {head + line + "{\"at_us\":4,\"from\":0,\"text\":\"a\"}\n" + end, "line 3"},
      {head + std::string("{\"at_us\":-1,\"from\":0,\"text\":\"a\"}\n") + end, "line 2"},
      {head + std::string("{\"at_us\":1,\"from\":0}\n") + end, "line 2"},
      {head + std::string("{\"at_us\":1,\"from\":0,\"base64\":\"?\"}\n") + end, "line 2"},
  };
  for (const auto& [text, said] : wrong) {
    const File file(text);
    const base::Parsed<Script> script = read_script(file.path());
    EXPECT_FALSE(script.value);
    EXPECT_NE(script.error.find(said), std::string::npos) << script.error;
  }
  EXPECT_FALSE(read_script("/nowhere/at/all").value);
}

TEST(Plan, StepsGrowByRoomsOrByAPart) {
  Plan plan;
  plan.rooms = 100;
  plan.step_rooms = 30;
  EXPECT_EQ(plan.steps(), 4U);
  plan.first_rooms = 90;
  EXPECT_EQ(plan.rooms_after(0), 90U);
  EXPECT_EQ(plan.rooms_after(90), 100U);
  EXPECT_EQ(plan.steps(), 2U);
  plan.first_rooms = 2;
  plan.step_percent = 60;
  EXPECT_EQ(plan.rooms_after(2), 3U);  // at least one more
  EXPECT_EQ(plan.rooms_after(50), 80U);
  EXPECT_EQ(plan.rooms_after(80), 100U);
}

}  // namespace
}  // namespace ringroom::load
