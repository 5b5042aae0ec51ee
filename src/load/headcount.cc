#include "load/headcount.h"

#include <algorithm>

namespace ringroom::load {

using State = Client::State;

namespace {

constexpr std::uint16_t normal_closure = 1000;

}  // namespace

Headcount::Headcount(Crowd& crowd, Play& play, const HeadcountOptions& options)
    : crowd_(crowd), play_(play), options_(options), retired_ns_(crowd.size() / options.members) {
  play_.set_rooms(0, crowd_.now_ns());
}

void Headcount::want(std::uint32_t rooms, std::uint64_t now_ns) {
  open(rooms);
  const std::uint32_t ready = count_ready(rooms);
  for (std::uint32_t room = ready; room < active_; ++room) retired_ns_[room] = now_ns;
  if (ready != active_) play_.set_rooms(ready, now_ns);
  active_ = ready;
  close(rooms, now_ns);
}

// One that was closed a moment ago may not be free yet.
void Headcount::open(std::uint32_t rooms) {
  while (opened_ < rooms * options_.members && crowd_.in_progress() < options_.connecting_max) {
    Client& client = crowd_.client(opened_);
    if (client.state != State::free) return;
    crowd_.open(client);
    ++opened_;
  }
}

bool Headcount::is_ready(std::uint32_t room) const {
  for (std::uint32_t rank = 0; rank < options_.members; ++rank) {
    const State state = crowd_.client(room * options_.members + rank).state;
    if (state == State::connecting || state == State::upgrading) return false;
  }
  return true;
}

// Those that take part stay, unless they are too many.
std::uint32_t Headcount::count_ready(std::uint32_t rooms) const {
  std::uint32_t ready = std::min(active_, rooms);
  const std::uint32_t whole = std::min(rooms, opened_ / options_.members);
  while (ready < whole && is_ready(ready)) ++ready;
  return ready;
}

void Headcount::close(std::uint32_t rooms, std::uint64_t now_ns) {
  while (opened_ > rooms * options_.members) {
    const std::uint32_t room = (opened_ - 1) / options_.members;
    if (!play_.is_quiet(room) && now_ns - retired_ns_[room] < options_.patience_ns) return;
    for (; opened_ > room * options_.members; --opened_) {
      Client& client = crowd_.client(opened_ - 1);
      if (client.state == State::open) {
        crowd_.close(client, normal_closure);
      } else {
        crowd_.drop(client);
      }
    }
  }
}

}  // namespace ringroom::load
