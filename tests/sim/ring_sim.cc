// The simulator's body of reactor::Ring: what a program calls when it is linked with the
// simulated kernel.
#include "reactor/ring.h"
#include "sim_ring.h"
#include "sim_world.h"

#include <utility>

namespace ringroom::reactor {

using sim::SimRing;
using sim::SimWorld;
using Kind = SimRing::Kind;

namespace {

// Some day in 2024, so that nothing depends on when a test runs.
constexpr std::int64_t wall_start_ms = 1'720'000'000'000;

// What a reading of the clock costs: time goes on between two of them.
constexpr std::uint64_t clock_ns = 50;

}  // namespace

struct Ring::Body {
  SimRing ring;
};

Ring::Ring(std::unique_ptr<Body> body) : body_(std::move(body)) {}

Ring::~Ring() = default;

std::unique_ptr<Ring> Ring::make(const RingOptions& options, RingFailure& failure) {
  SimWorld& world = SimWorld::current();
  Features features = world.faults().features;
  if (options.features_allowed) {
    const auto restricted = restrict_features(features, *options.features_allowed);
    if (!restricted) {
      failure.message = "unknown ring feature";
      return nullptr;
    }
    features = *restricted;
  }
  return std::unique_ptr<Ring>(
      new Ring(std::unique_ptr<Body>(new Body{SimRing(world, options, features)})));
}

const Features& Ring::features() const {
  return body_->ring.features();
}

std::uint32_t Ring::files_max() const {
  return body_->ring.files_max();
}

int Ring::descriptor() const {
  return body_->ring.descriptor();
}

void Ring::accept(int listener, Tag tag) {
  body_->ring.queue({.kind = Kind::accept, .tag = tag, .descriptor = listener});
}

int Ring::connect(std::uint32_t file, const base::Address&, const ConnectOptions&, Tag tag) {
  return body_->ring.connect(file, tag);
}

void Ring::receive_once(std::uint32_t file, Tag tag) {
  body_->ring.queue({.kind = Kind::receive_once, .tag = tag, .file = file});
}

void Ring::receive_ready(std::uint32_t file, Tag tag) {
  receive_once(file, tag);
}

void Ring::receive(std::uint32_t file, Tag tag) {
  body_->ring.queue({.kind = Kind::receive, .tag = tag, .file = file});
}

void Ring::send(std::uint32_t file, std::span<const std::byte> bytes, Tag tag) {
  body_->ring.queue({.kind = Kind::send, .tag = tag, .file = file, .pieces = {bytes}});
}

void Ring::send_gathered(std::uint32_t file, std::span<const iovec> pieces, Tag tag) {
  SimRing::Submission submission{.kind = Kind::send, .tag = tag, .file = file};
  for (const iovec& piece : pieces) {
    submission.pieces.emplace_back(static_cast<const std::byte*>(piece.iov_base), piece.iov_len);
  }
  body_->ring.queue(std::move(submission));
}

void Ring::send_rest(std::uint32_t file, std::span<const std::byte> bytes, Tag tag) {
  body_->ring.queue({.kind = Kind::send_rest, .tag = tag, .file = file, .pieces = {bytes}});
}

void Ring::poll(std::uint32_t file, Tag tag) {
  body_->ring.queue({.kind = Kind::poll, .tag = tag, .file = file});
}

void Ring::shut_down(std::uint32_t file, Tag tag) {
  body_->ring.queue({.kind = Kind::shut_down, .tag = tag, .file = file});
}

void Ring::accept_once(int listener, Tag tag) {
  body_->ring.queue({.kind = Kind::accept, .tag = tag, .descriptor = listener, .once = true});
}

void Ring::close(std::uint32_t file, std::span<const Tag> requests, Tag tag) {
  body_->ring.queue({.kind = Kind::close,
                     .tag = tag,
                     .file = file,
                     .cancels = std::vector<Tag>(requests.begin(), requests.end())});
}

void Ring::close(std::uint32_t file, Tag tag) {
  body_->ring.queue({.kind = Kind::close, .tag = tag, .file = file});
}

void Ring::cancel(Tag request) {
  body_->ring.queue({.kind = Kind::cancel, .target_tag = request});
}

void Ring::move_file(std::uint32_t file, int target_descriptor, Tag target_tag, Tag tag) {
  body_->ring.queue({.kind = Kind::move_file,
                     .tag = tag,
                     .file = file,
                     .descriptor = target_descriptor,
                     .target_tag = target_tag});
}

void Ring::wake(int target_descriptor, Tag target_tag) {
  body_->ring.queue(
      {.kind = Kind::wake, .descriptor = target_descriptor, .target_tag = target_tag});
}

void Ring::write_durably(int descriptor,
                         std::span<const std::byte> bytes,
                         std::uint64_t offset,
                         Tag tag) {
  body_->ring.queue({.kind = Kind::write,
                     .tag = tag,
                     .descriptor = descriptor,
                     .pieces = {bytes},
                     .offset = offset});
}

void Ring::open_file(const char* path, Tag tag) {
  body_->ring.queue({.kind = Kind::open_file, .tag = tag, .path = path});
}

void Ring::read_event(int event, std::uint64_t* counter, Tag tag) {
  body_->ring.queue(
      {.kind = Kind::read_event, .tag = tag, .descriptor = event, .counter = counter});
}

void Ring::submit_and_wait(std::uint64_t deadline_ns, std::uint64_t gather_ns) {
  body_->ring.submit_and_wait(deadline_ns, gather_ns);
}

void Ring::submit() {
  body_->ring.submit();
}

void Ring::reap(std::vector<Completion>& completions) {
  body_->ring.reap(completions);
}

void Ring::hold(std::uint16_t buffer) {
  body_->ring.hold(buffer);
}

void Ring::release(std::uint16_t buffer) {
  body_->ring.release(buffer);
}

bool Ring::take_refilled() {
  return body_->ring.take_refilled();
}

std::uint64_t Ring::buffers_exhausted_total() const {
  return body_->ring.buffers_exhausted_total();
}

std::string Ring::peer_address(std::uint32_t file) {
  return body_->ring.peer_address(file);
}

std::uint64_t Ring::now_ns() const {
  SimWorld& world = body_->ring.world();
  world.advance(clock_ns);
  return world.now_ns();
}

std::int64_t Ring::wall_ms() const {
  const SimWorld& world = body_->ring.world();
  return wall_start_ms + world.wall_offset_ms() +
         static_cast<std::int64_t>(world.now_ns() / 1'000'000);
}

}  // namespace ringroom::reactor
