#include "base/values.h"

#include <gtest/gtest.h>

namespace ringroom::base {
namespace {

using namespace std::chrono_literals;

TEST(Duration, TakesEachUnit) {
  EXPECT_EQ(parse_duration("500ms").value, 500ms);
  EXPECT_EQ(parse_duration("2s").value, 2s);
  EXPECT_EQ(parse_duration("3m").value, 3min);
  EXPECT_EQ(parse_duration("1h").value, 1h);
  EXPECT_EQ(parse_duration("0s").value, 0ms);
}

TEST(Duration, TakesFractions) {
  EXPECT_EQ(parse_duration("1.5s").value, 1500ms);
  EXPECT_EQ(parse_duration("0.25m").value, 15s);
}

TEST(Duration, RefusesWhatIsNone) {
  for (const char* text : {"", "10", "s", "-1s", "2 s", "2S", "1s2", "inf s", "nans", "1e3s"}) {
    const auto parsed = parse_duration(text);
    EXPECT_FALSE(parsed.value) << text;
    EXPECT_NE(parsed.error.find("such as 500ms"), std::string::npos) << text;
  }
}

TEST(Duration, RefusesMoreThanAYear) {
  EXPECT_TRUE(parse_duration("8760h").value);
  EXPECT_EQ(parse_duration("8761h").error, "is longer than a year");
  EXPECT_FALSE(parse_duration(std::string(400, '9') + "h").value);
}

TEST(Duration, IsWrittenAsItIsRead) {
  EXPECT_EQ(text_of(0ms), "0ms");
  EXPECT_EQ(text_of(1500ms), "1500ms");
  EXPECT_EQ(text_of(10s), "10s");
  EXPECT_EQ(text_of(120s), "2m");
  EXPECT_EQ(text_of(1h), "1h");
}

TEST(Size, TakesEachUnit) {
  EXPECT_EQ(parse_size("0").value, 0U);
  EXPECT_EQ(parse_size("65536").value, 65536U);
  EXPECT_EQ(parse_size("64KiB").value, 65536U);
  EXPECT_EQ(parse_size("4MiB").value, 4U << 20);
  EXPECT_EQ(parse_size("1GiB").value, 1U << 30);
}

TEST(Size, RefusesWhatIsNone) {
  for (const char* text : {"", "KiB", "-1", "1.5MiB", "64 KiB", "64KB", "64K", "64kib", "0x10"}) {
    const auto parsed = parse_size(text);
    EXPECT_FALSE(parsed.value) << text;
    EXPECT_NE(parsed.error.find("such as 64KiB"), std::string::npos) << text;
  }
}

TEST(Size, RefusesWhatOverflows) {
  EXPECT_EQ(parse_size("99999999999999999999").error, "is too large");
  EXPECT_EQ(parse_size("18446744073709551615GiB").error, "is too large");
}

TEST(Number, TakesDigitsUpToTheMost) {
  EXPECT_EQ(parse_number("65535", 65535).value, 65535U);
  EXPECT_EQ(parse_number("65536", 65535).error, "is above 65,535");
  EXPECT_EQ(parse_number("99999999999999999999", 65535).error, "is above 65,535");
  for (const char* text : {"", "-1", "+1", "1.0", "1 ", "x"}) {
    EXPECT_EQ(parse_number(text, 65535).error, "is not a whole number") << text;
  }
}

TEST(Number, IsGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1048576), "1,048,576");
}

}  // namespace
}  // namespace ringroom::base
