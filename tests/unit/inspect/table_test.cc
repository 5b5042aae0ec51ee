#include "inspect/table.h"

#include <gtest/gtest.h>

namespace ringroom::inspect {
namespace {

TEST(Table, AlignsCharactersNotBytes) {
  EXPECT_EQ(table({{"A"}, {"NUMBER", true}}, {{"\xc3\xa4\xc3\xb6", "1"}, {"abc", "20"}}),
            "A    NUMBER\n\xc3\xa4\xc3\xb6        1\nabc      20\n");
  EXPECT_EQ(table({{"A"}, {"B"}}, {}), "A  B\n");
}

TEST(Table, LetsNothingReachTheTerminal) {
  EXPECT_EQ(printable("a\nb\x1b[2J\x7f\xc3\xa4"), "a\\nb\\x1b[2J\\x7f\xc3\xa4");
}

TEST(Table, TellsSizesInAFewDigits) {
  EXPECT_EQ(readable_bytes(0), "0 B");
  EXPECT_EQ(readable_bytes(999), "999 B");
  EXPECT_EQ(readable_bytes(4096), "4 KiB");
  EXPECT_EQ(readable_bytes(5000), "4.9 KiB");
  EXPECT_EQ(readable_bytes(20'480), "20 KiB");
  EXPECT_EQ(readable_bytes(3ULL << 30), "3 GiB");
}

}  // namespace
}  // namespace ringroom::inspect
