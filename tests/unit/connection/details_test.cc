#include "connection/details.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ringroom::connection {
namespace {

class DetailsTest : public testing::Test {
 protected:
  Details write(std::string_view target,
                std::string_view id,
                const std::vector<std::string>& more_tags = {},
                std::string_view host = "localhost:8787") {
    const auto handle = write_details(
        blobs_, hosts_, {.host = host, .target = target, .id = id, .more_tags = more_tags});
    EXPECT_TRUE(handle);
    handle_ = *handle;
    return Details(blobs_, handle_);
  }
  std::size_t blob_bytes() { return blobs_.bytes(handle_).size(); }

  BlobStore blobs_;
  HostNames hosts_;
  BlobStore::Handle handle_ = BlobStore::none;
};

TEST_F(DetailsTest, GivesBackWhatWasWritten) {
  const Details details = write("/agents/chat-room/lobby?_pk=abc", "abc", {"red", "player 1"});
  EXPECT_EQ(details.id(), "abc");
  EXPECT_EQ(details.target(), "/agents/chat-room/lobby?_pk=abc");
  EXPECT_EQ(details.host(hosts_), "localhost:8787");
  ASSERT_EQ(details.tags(), 3U);
  EXPECT_EQ(details.tag(0), "abc");
  EXPECT_EQ(details.tag(1), "red");
  EXPECT_EQ(details.tag(2), "player 1");
}

TEST_F(DetailsTest, KeepsAnIdOutsideOfTheUri) {
  const Details details = write("/agents/echo/x", "made-by-us", {"tag"});
  EXPECT_EQ(details.id(), "made-by-us");
  EXPECT_EQ(details.target(), "/agents/echo/x");
  EXPECT_EQ(details.tag(0), "made-by-us");
  EXPECT_EQ(details.tag(1), "tag");
}

TEST_F(DetailsTest, StoresAnIdOfTheUriOnce) {
  const std::string id(200, 'i');
  write("/agents/echo/x?_pk=" + id, id);
  const std::size_t inside = blob_bytes();
  write("/agents/echo/x?_pk=" + std::string(200, 'j'), id);
  EXPECT_EQ(blob_bytes(), inside + 200);
}

TEST_F(DetailsTest, KeepsAnEmptyId) {
  const Details details = write("/agents/echo/x", "", {"tag"});
  EXPECT_EQ(details.id(), "");
  EXPECT_EQ(details.tag(1), "tag");
}

TEST_F(DetailsTest, KnowsItsTags) {
  const Details details = write("/agents/echo/x?_pk=me", "me", {"red", "", "blue"});
  EXPECT_TRUE(details.has_tag("me"));
  EXPECT_TRUE(details.has_tag("red"));
  EXPECT_TRUE(details.has_tag(""));
  EXPECT_TRUE(details.has_tag("blue"));
  EXPECT_FALSE(details.has_tag("re"));
  EXPECT_FALSE(details.has_tag("green"));
}

TEST_F(DetailsTest, HoldsAsMuchAsTheLimitsAllow) {
  const std::string target = "/" + std::string(16 * 1024 - 1, 't');
  const std::vector<std::string> tags(9, std::string(256, 'g'));
  const Details details = write(target, std::string(256, 'i'), tags);
  EXPECT_EQ(details.target(), target);
  EXPECT_EQ(details.id(), std::string(256, 'i'));
  EXPECT_EQ(details.tags(), 10U);
  EXPECT_EQ(details.tag(9), tags[8]);
}

TEST(HostNames, KeepsEachNameOnce) {
  HostNames hosts;
  const std::uint16_t first = hosts.intern("a.example");
  EXPECT_NE(hosts.intern("b.example"), first);
  EXPECT_EQ(hosts.intern("a.example"), first);
  EXPECT_EQ(hosts[first], "a.example");
}

TEST(HostNames, RefusesMoreThanItsBoundButKnowsTheOldOnes) {
  HostNames hosts;
  for (std::size_t i = 0; i < HostNames::names_max; ++i) {
    EXPECT_NE(hosts.intern("host-" + std::to_string(i)), HostNames::unknown);
  }
  EXPECT_EQ(hosts.intern("one-more"), HostNames::unknown);
  EXPECT_EQ(hosts[hosts.intern("host-255")], "host-255");
}

TEST_F(DetailsTest, KeepsTheCompleteUriOfAHostBeyondTheBound) {
  for (std::size_t i = 0; i < HostNames::names_max; ++i) hosts_.intern("host-" + std::to_string(i));
  const Details known = write("/x", "id", {}, "host-7");
  EXPECT_EQ(known.host(hosts_), "host-7");
  EXPECT_EQ(known.target(), "/x");
  const Details unknown = write("/agents/echo/x?_pk=me", "me", {"tag"}, "stranger:80");
  EXPECT_EQ(unknown.host(hosts_), "");
  EXPECT_EQ(unknown.target(), "http://stranger:80/agents/echo/x?_pk=me");
  EXPECT_EQ(unknown.id(), "me");
  EXPECT_EQ(unknown.tag(1), "tag");
}

}  // namespace
}  // namespace ringroom::connection
