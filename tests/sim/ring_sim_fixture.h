// What the tests of the simulated kernel share: a ring in a world, with one connection.
// For one test at a time, on its thread.
#pragma once

#include "reactor/ring.h"
#include "sim_world.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringroom::sim {

using reactor::Completion;
using reactor::Op;
using reactor::Ring;
using reactor::RingFailure;
using reactor::RingOptions;
using reactor::Tag;

inline constexpr Tag accept_tag = Tag::of(Op::accept, 0);
inline constexpr Tag receive_tag = Tag::of(Op::receive, 1);
inline constexpr Tag once_tag = Tag::of(Op::receive_once, 1);
inline constexpr Tag send_tag = Tag::of(Op::send, 1);
inline constexpr Tag rest_tag = Tag::of(Op::send_rest, 1);
inline constexpr Tag poll_tag = Tag::of(Op::poll, 1);
inline constexpr Tag close_tag = Tag::of(Op::close, 1);

inline std::unique_ptr<Ring> make_ring(
    std::uint32_t files_max = 8,
    std::uint32_t completions_max = 64,
    std::optional<std::vector<std::string>> features = std::nullopt) {
  RingOptions options;
  options.files_max = files_max;
  options.completions_max = completions_max;
  options.features_allowed = std::move(features);
  RingFailure failure;
  return Ring::make(options, failure);
}

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string text_of(const Completion& completion) {
  return {reinterpret_cast<const char*>(completion.data), completion.bytes().size()};
}

/// One turn without waiting.
inline std::vector<Completion> turn(Ring& ring) {
  std::vector<Completion> completions;
  ring.submit_and_wait(0);
  ring.reap(completions);
  return completions;
}

/// One turn with a wait of a second of the world's time at most.
inline std::vector<Completion> wait_turn(Ring& ring) {
  std::vector<Completion> completions;
  ring.submit_and_wait(ring.now_ns() + 1'000'000'000);
  ring.reap(completions);
  return completions;
}

/// A world with one ring, one listener and one accepted connection.
struct Connected {
  explicit Connected(const FaultProfile& faults = {},
                     std::uint32_t files_max = 8,
                     std::uint32_t completions_max = 64)
      : world(1, {}), listener(world.listen()) {
    world.set_faults(faults);
    ring = make_ring(files_max, completions_max);
    client = world.connect(listener);
    world.set_faults({});
    ring->accept(listener, accept_tag);
    const std::vector<Completion> accepted = turn(*ring);
    file = static_cast<std::uint32_t>(accepted.at(0).result);
    world.set_faults(faults);
  }

  SimWorld world;
  int listener;
  std::unique_ptr<Ring> ring;
  SimClient client;
  std::uint32_t file = 0;
};

}  // namespace ringroom::sim
