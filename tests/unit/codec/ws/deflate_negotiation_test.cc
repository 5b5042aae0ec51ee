#include "codec/ws/deflate_negotiation.h"

#include "codec/ws/extension_list.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::codec::ws {
namespace {

constexpr std::string_view plain_answer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

std::string answer(std::string_view offers) {
  const std::optional<DeflateParameters> parameters = negotiate(offers);
  return parameters ? parameters->header() : "declined";
}

struct Case {
  std::string_view offers;
  std::string_view added;  // to the plain answer
};

TEST(DeflateNegotiation, AcceptsWhatItCanDo) {
  const std::vector<Case> cases = {
      {"permessage-deflate", ""},
      {"  permessage-deflate  ", ""},
      {"permessage-deflate; client_max_window_bits", ""},
      {"permessage-deflate;server_no_context_takeover;client_no_context_takeover", ""},
      {"permessage-deflate; server_max_window_bits=15", "; server_max_window_bits=15"},
      {"permessage-deflate; server_max_window_bits=9", "; server_max_window_bits=9"},
      {"permessage-deflate; server_max_window_bits=\"10\"", "; server_max_window_bits=10"},
      {"permessage-deflate; server_max_window_bits=\"1\\0\"", "; server_max_window_bits=10"},
      {"permessage-deflate; client_max_window_bits=8", "; client_max_window_bits=8"},
      {"permessage-deflate ; server_max_window_bits = 12 ; client_max_window_bits = 11",
       "; server_max_window_bits=12; client_max_window_bits=11"},
      {"permessage-deflate; client_max_window_bits=11; server_max_window_bits=12",
       "; server_max_window_bits=12; client_max_window_bits=11"},
      {"x-webkit-deflate-frame, permessage-deflate", ""},
      {"foo; x=\"a\"; y, permessage-deflate", ""},
      {",, permessage-deflate ,", ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(answer(c.offers), std::string(plain_answer) + std::string(c.added)) << c.offers;
  }
}

TEST(DeflateNegotiation, SkipsAnOfferItCannotTakeAndLooksAtTheNext) {
  const std::vector<Case> cases = {
      {"permessage-deflate; server_max_window_bits=8, permessage-deflate", ""},
      {"permessage-deflate; surprise, permessage-deflate; server_max_window_bits=14",
       "; server_max_window_bits=14"},
      {"permessage-deflate; server_max_window_bits=10, permessage-deflate",
       "; server_max_window_bits=10"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(answer(c.offers), std::string(plain_answer) + std::string(c.added)) << c.offers;
  }
}

TEST(DeflateNegotiation, Declines) {
  for (const std::string_view offers : {
           "",
           "permessage-bzip2",
           "Permessage-Deflate",
           "permessage-deflate; unknown",
           "permessage-deflate; unknown=1",
           "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
           "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
           "permessage-deflate; server_no_context_takeover=1",
           "permessage-deflate; client_no_context_takeover=true",
           "permessage-deflate; server_max_window_bits",
           "permessage-deflate; server_max_window_bits=7",
           "permessage-deflate; server_max_window_bits=8",
           "permessage-deflate; server_max_window_bits=16",
           "permessage-deflate; server_max_window_bits=010",
           "permessage-deflate; server_max_window_bits=09",
           "permessage-deflate; server_max_window_bits=+9",
           "permessage-deflate; server_max_window_bits=1a",
           "permessage-deflate; server_max_window_bits=100",
           "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
           "permessage-deflate; client_max_window_bits=7",
           "permessage-deflate; client_max_window_bits=16",
           "permessage-deflate; client_max_window_bits; client_max_window_bits",
           "permessage-deflate; client_max_window_bits=10; client_max_window_bits",
           "permessage-deflate; Server_max_window_bits=10",
       }) {
    EXPECT_EQ(answer(offers), "declined") << offers;
  }
}

TEST(DeflateNegotiation, DeclinesWhatIsNotAList) {
  for (const std::string_view offers : {
           "permessage-deflate;",
           "permessage-deflate; ;",
           "permessage-deflate; server_max_window_bits=",
           "permessage-deflate; server_max_window_bits=\"\"",
           "permessage-deflate; server_max_window_bits=\"10",
           "permessage-deflate; server_max_window_bits=\"10\\",
           "permessage-deflate; server_max_window_bits=\"1 0\"",
           "permessage-deflate permessage-deflate",
           "permessage-deflate, b@d",
           "permessage-deflate; x=1 2",
           "=, permessage-deflate",
           "\"permessage-deflate\"",
           "permessage-deflate\n",
           "permessage-deflate, \x80",
       }) {
    EXPECT_EQ(answer(offers), "declined") << offers;
    EXPECT_FALSE(parse_extension_list(offers)) << offers;
  }
}

TEST(DeflateNegotiation, GivesTheServersWindow) {
  EXPECT_EQ(negotiate("permessage-deflate")->server_window_bits(), 15);
  EXPECT_EQ(negotiate("permessage-deflate; server_max_window_bits=11")->server_window_bits(), 11);
}

TEST(DeflateNegotiation, AnswersItsOwnOffer) {
  EXPECT_EQ(answer(deflate_offer), plain_answer);
  EXPECT_TRUE(accept_answer(answer(deflate_offer)));
}

TEST(DeflateNegotiation, ChecksTheAnswerAsAClient) {
  for (const std::string_view good : {
           "permessage-deflate; server_no_context_takeover",
           "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
           "permessage-deflate; server_no_context_takeover; server_max_window_bits=8",
       }) {
    EXPECT_TRUE(accept_answer(good)) << good;
  }
  for (const std::string_view bad : {
           "permessage-deflate",
           "permessage-deflate; client_no_context_takeover",
           "permessage-deflate; server_no_context_takeover; client_max_window_bits=10",
           "permessage-deflate; server_no_context_takeover; client_max_window_bits",
           "permessage-deflate; server_no_context_takeover; server_max_window_bits",
           "permessage-deflate; server_no_context_takeover; surprise",
           "permessage-deflate; server_no_context_takeover, foo",
           "foo",
           "",
       }) {
    EXPECT_FALSE(accept_answer(bad)) << bad;
  }
}

}  // namespace
}  // namespace ringroom::codec::ws
