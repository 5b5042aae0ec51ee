#include "codec/envelope/negotiation.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::codec::envelope {
namespace {

using Offer = std::vector<std::string_view>;

void expect(const Offer& offered,
            std::optional<std::string_view> parameter,
            BatchFormat otherwise,
            BatchFormat format,
            std::string_view subprotocol) {
  const auto agreed = negotiate(offered, parameter, otherwise);
  ASSERT_TRUE(agreed.has_value());
  EXPECT_EQ(agreed->format, format);
  EXPECT_EQ(agreed->subprotocol, subprotocol);
}

TEST(EnvelopeNegotiation, TakesTheFirstOfOurs) {
  constexpr auto none = BatchFormat::none;
  const auto flat = BatchFormat::flatbuffers;
  const auto json = BatchFormat::json_text;
  expect({"a", flatbuffers_subprotocol, json_subprotocol}, {}, none, flat, flatbuffers_subprotocol);
  expect({json_subprotocol, flatbuffers_subprotocol}, {}, none, json, json_subprotocol);
  expect({"a", "RINGROOM.BATCH.FB.V1"}, {}, none, none, "");  // names of subprotocols have a case
}

TEST(EnvelopeNegotiation, SubprotocolThenParameterThenClass) {
  const auto flat = BatchFormat::flatbuffers;
  const auto json = BatchFormat::json_text;
  expect({json_subprotocol}, "fb", flat, json, json_subprotocol);
  expect({}, "fb", json, flat, "");
  expect({}, "json", flat, json, "");
  expect({}, {}, flat, flat, "");
  expect({}, {}, BatchFormat::none, BatchFormat::none, "");
}

TEST(EnvelopeNegotiation, KnowsNoOtherParameter) {
  for (const std::string_view parameter : {"", "FB", "xml", "fb,json"}) {
    EXPECT_FALSE(negotiate({}, parameter, BatchFormat::none).has_value()) << parameter;
  }
}

}  // namespace
}  // namespace ringroom::codec::envelope
