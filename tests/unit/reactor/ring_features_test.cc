#include "reactor/op_tag.h"
#include "reactor/ring.h"

#include <gtest/gtest.h>

namespace ringroom::reactor {
namespace {

constexpr Features all = {true, true, true, true};

TEST(RingFeatures, AreRestrictedToThoseNamed) {
  EXPECT_EQ(restrict_features(all, {}), Features{});
  EXPECT_EQ(restrict_features(all, {"min-wait", "fixed-fd-install"}),
            (Features{.min_wait = true, .fixed_fd_install = true}));
  EXPECT_EQ(restrict_features(
                all, {"incremental-buffers", "min-wait", "no-sq-array", "fixed-fd-install"}),
            all);
}

TEST(RingFeatures, AreNeverMoreThanAvailable) {
  EXPECT_EQ(restrict_features({.min_wait = true}, {"min-wait", "no-sq-array"}),
            Features{.min_wait = true});
}

TEST(RingFeatures, RefuseUnknownNames) {
  EXPECT_EQ(restrict_features(all, {"min-wait", "warp-drive"}), std::nullopt);
  EXPECT_EQ(restrict_features(all, {""}), std::nullopt);
}

TEST(RingFeatures, AreDescribedByTheirNames) {
  EXPECT_EQ(describe({}), "none");
  EXPECT_EQ(describe({.incremental_buffers = true, .min_wait = true}),
            "incremental-buffers, min-wait");
  EXPECT_EQ(describe(all), "incremental-buffers, min-wait, no-sq-array, fixed-fd-install");
  for (const std::string_view name : feature_names()) {
    EXPECT_EQ(describe(*restrict_features(all, {std::string(name)})), name);
  }
}

TEST(RingFeatures, AreOffInARingThatMayUseNone) {
  RingFailure failure;
  const auto ring = Ring::make({.files_max = 8,
                                .submissions_max = 8,
                                .completions_max = 16,
                                .features_allowed = std::vector<std::string>()},
                               failure);
  ASSERT_NE(ring, nullptr) << failure.message;
  EXPECT_EQ(ring->features(), Features{});
  EXPECT_EQ(ring->files_max(), 8U);
}

TEST(RingFeatures, FailTheRingWhenUnknown) {
  RingFailure failure;
  EXPECT_EQ(Ring::make({.features_allowed = {{"warp-drive"}}}, failure), nullptr);
  EXPECT_EQ(failure.message,
            "--ring-features names an unknown feature. Known are: incremental-buffers min-wait "
            "no-sq-array fixed-fd-install.");
}

TEST(Tag, KeepsItsParts) {
  constexpr Tag tag = Tag::of(Op::close, 0xfedc'ba98, 0xab'cdef);
  EXPECT_EQ(tag.op(), Op::close);
  EXPECT_EQ(tag.slot(), 0xfedc'ba98U);
  EXPECT_EQ(tag.generation(), 0xab'cdefU);
  EXPECT_EQ(Tag::of(Op::poll, 1, 0x1000'0002).generation(), 2U);
}

TEST(Tag, CarriesAUserSpaceAddress) {
  constexpr std::uint64_t address = 0x7fff'ffff'fff8;
  constexpr Tag tag = Tag::with_payload(Op::arrival, address);
  EXPECT_EQ(tag.op(), Op::arrival);
  EXPECT_EQ(tag.payload(), address);
}

}  // namespace
}  // namespace ringroom::reactor
