#include "load/expectation.h"

#include <gtest/gtest.h>

namespace ringroom::load {
namespace {

TEST(Expectation, ReadsEachRelationAndUnit) {
  const auto made = parse_expectations("p99<5ms,errors=0,received_rate>=1000,max<=2s,p50>10us");
  ASSERT_TRUE(made.value) << made.error;
  ASSERT_EQ(made.value->size(), 5U);
  EXPECT_EQ(made.value->at(0).metric, "p99");
  EXPECT_DOUBLE_EQ(made.value->at(0).value, 5000);
  EXPECT_TRUE(made.value->at(0).is_met(4999));
  EXPECT_FALSE(made.value->at(0).is_met(5000));
  EXPECT_TRUE(made.value->at(1).is_met(0));
  EXPECT_FALSE(made.value->at(1).is_met(1));
  EXPECT_TRUE(made.value->at(2).is_met(1000));
  EXPECT_FALSE(made.value->at(2).is_met(999));
  EXPECT_TRUE(made.value->at(3).is_met(2e6));
  EXPECT_FALSE(made.value->at(4).is_met(10));
  EXPECT_TRUE(made.value->at(4).is_met(10.1));
}

TEST(Expectation, MayBeOfAPhaseOrAPart) {
  const auto made = parse_expectations("spike.p99.9<5ms,p99.9<1ms,chat.lost=0");
  ASSERT_TRUE(made.value) << made.error;
  EXPECT_EQ(made.value->at(0).scope, "spike");
  EXPECT_EQ(made.value->at(0).metric, "p99.9");
  EXPECT_EQ(made.value->at(1).scope, "");
  EXPECT_EQ(made.value->at(1).metric, "p99.9");
  EXPECT_EQ(made.value->at(2).scope, "chat");
  EXPECT_NE(parse_expectations("spike.p98<5ms").error.find("'p98'"), std::string::npos);
  EXPECT_NE(parse_expectations("spike.players>5").error.find("whole run"), std::string::npos);
}

TEST(Expectation, SaysWhatIsWrong) {
  EXPECT_NE(parse_expectations("p98<5ms").error.find("p99.9"), std::string::npos);
  EXPECT_NE(parse_expectations("p99<5").error.find("duration"), std::string::npos);
  EXPECT_NE(parse_expectations("errors=0ms").error.find("without a unit"), std::string::npos);
  EXPECT_NE(parse_expectations("errors").error.find("p99<5ms"), std::string::npos);
  EXPECT_NE(parse_expectations("errors=").error.find("number"), std::string::npos);
  EXPECT_FALSE(parse_expectations("errors=0,").value);
}

}  // namespace
}  // namespace ringroom::load
