// Callables without a room: how arguments become values, and results JSON.
#include "ringroom/agent_class.h"

#include <gtest/gtest.h>

namespace ringroom {
namespace {

struct Point {
  int x = 0;
  int y = 0;
};
RINGROOM_JSON(Point, x, y)

struct Callables {
  int add(int a, int b) { return a + b; }
  std::uint8_t small(std::uint8_t n) { return n; }
  double half(double n) { return n / 2; }
  std::string greet(const std::string& name, bool loudly) { return loudly ? name + "!" : name; }
  std::size_t length(std::string_view text) { return text.size(); }
  int sum(std::vector<int> numbers) {
    int sum = 0;
    for (const int each : numbers) sum += each;
    return sum;
  }
  Point mirror(const Point& point) { return {point.y, point.x}; }
  std::optional<int> maybe(std::optional<int> n) { return n; }
  json any(const json& value) { return value; }
  Arguments rest(int, Arguments others) { return others; }
  void nothing() {}
  Deferred<int> later(int n) {
    waiting = Deferred<int>();
    plus = n;
    return waiting;
  }
  Deferred<std::monostate> later_nothing() { return std::monostate(); }
  Deferred<int> waiting;
  int plus = 0;
};

class Call : public testing::Test {
 protected:
  template <typename Function>
  json operator()(Function function, std::vector<json> args) {
    return value_of(start(function, std::move(args)));
  }
  template <typename R, typename... P>
  Deferred<json> start(R (Callables::*function)(P...), std::vector<json> args) {
    return detail::answer_of<R, P...>(args, [&](auto&&... values) -> R {
      return (object_.*function)(std::forward<decltype(values)>(values)...);
    });
  }
  static json value_of(const Deferred<json>& answer) {
    json result = "unanswered";
    answer.then([&](const json& value) { result = value; },
                [&](const std::string& why) { result = "failed: " + why; });
    return result;
  }
  template <typename Function>
  std::string refusal(Function function, std::vector<json> args) {
    try {
      start(function, std::move(args));
    } catch (const std::exception& error) {
      return error.what();
    }
    return "none";
  }
  Callables object_;
};

TEST_F(Call, ConvertsArgumentsAndResults) {
  EXPECT_EQ((*this)(&Callables::add, {2, 3}), 5);
  EXPECT_EQ((*this)(&Callables::add, {2.0, -3}), -1);
  EXPECT_EQ((*this)(&Callables::half, {3}), 1.5);
  EXPECT_EQ((*this)(&Callables::greet, {"Ada", true}), "Ada!");
  EXPECT_EQ((*this)(&Callables::length, {"four"}), 4);
  EXPECT_EQ((*this)(&Callables::sum, {json::array({1, 2, 3})}), 6);
  EXPECT_EQ((*this)(&Callables::mirror, {{{"x", 1}, {"y", 2}}}), (json{{"x", 2}, {"y", 1}}));
}

TEST_F(Call, TakesMissingOnesWhereItMay) {
  EXPECT_EQ((*this)(&Callables::maybe, {}), nullptr);
  EXPECT_EQ((*this)(&Callables::maybe, {nullptr}), nullptr);
  EXPECT_EQ((*this)(&Callables::maybe, {4}), 4);
  EXPECT_EQ((*this)(&Callables::any, {}), nullptr);
  EXPECT_EQ((*this)(&Callables::rest, {1}), json::array());
  EXPECT_EQ((*this)(&Callables::rest, {1, "a", nullptr}), (json{"a", nullptr}));
}

TEST_F(Call, IgnoresArgumentsTooMany) {
  EXPECT_EQ((*this)(&Callables::add, {2, 3, 4}), 5);
}

TEST_F(Call, SaysWhichArgumentDoesNotFit) {
  EXPECT_EQ(refusal(&Callables::add, {2}), "argument 2 must be a number, and is missing");
  EXPECT_EQ(refusal(&Callables::add, {"2", 3}), "argument 1 must be a number, not string");
  EXPECT_EQ(refusal(&Callables::greet, {"Ada", 1}), "argument 2 must be true or false, not number");
  EXPECT_NE(refusal(&Callables::mirror, {{{"x", 1}}}).find("argument 1: "), std::string::npos);
}

TEST_F(Call, NeverCutsANumber) {
  const std::string error = "argument 1 must be a whole number that fits its type, not number";
  EXPECT_EQ(refusal(&Callables::add, {2.5, 1}), error);
  EXPECT_EQ(refusal(&Callables::add, {3'000'000'000U, 1}), error);
  EXPECT_EQ(refusal(&Callables::add, {1e300, 1}), error);
  EXPECT_EQ(refusal(&Callables::small, {-1}), error);
  EXPECT_EQ(refusal(&Callables::small, {256}), error);
  EXPECT_EQ((*this)(&Callables::small, {255}), 255);
}

TEST_F(Call, TellsNoResultFromNull) {
  EXPECT_TRUE((*this)(&Callables::nothing, {}).is_discarded());
  EXPECT_TRUE((*this)(&Callables::later_nothing, {}).is_discarded());
  EXPECT_TRUE((*this)(&Callables::any, {nullptr}).is_null());
}

TEST_F(Call, AnswersLater) {
  const Deferred<json> answer = start(&Callables::later, {1});
  EXPECT_FALSE(answer.is_answered());
  object_.waiting.resolve(41 + object_.plus);
  EXPECT_EQ(value_of(answer), 42);
}

TEST_F(Call, PassesAFailureOn) {
  const Deferred<json> answer = start(&Callables::later, {1});
  object_.waiting.reject("no luck");
  EXPECT_EQ(value_of(answer), "failed: no luck");
}

}  // namespace
}  // namespace ringroom
