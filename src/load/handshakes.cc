#include "load/handshakes.h"

#include <utility>

namespace ringroom::load {

namespace {

// A server that refuses is not asked again at once.
constexpr std::uint64_t retry_after_ns = 100'000'000;
constexpr std::uint16_t normal_closure = 1000;

}  // namespace

Handshakes::Handshakes(Crowd& crowd, Recorder& recorder, bool cuts)
    : Play(crowd, recorder), cuts_(cuts), upgraded_(crowd.size()) {}

void Handshakes::begin() {
  for (std::uint32_t slot = 0; slot < crowd_.size(); ++slot) crowd_.open(crowd_.client(slot));
  under_way_ = crowd_.size();
}

void Handshakes::on_open(Client& client, std::uint64_t now_ns) {
  upgraded_[crowd_.slot_of(client)] = true;
  recorder_.record(client.since_ns, now_ns);
  if (cuts_) {
    crowd_.drop(client);
  } else {
    crowd_.close(client, normal_closure);
  }
}

void Handshakes::on_gone(Client& client, std::uint64_t now_ns) {
  const std::uint32_t slot = crowd_.slot_of(client);
  --under_way_;
  const bool upgraded = upgraded_[slot];
  upgraded_[slot] = false;
  if (upgraded) ++crowd_.tally().cycles;
  if (now_ns >= recorder_.times.end_ns) return;
  if (!upgraded) {
    if (failed_.empty()) retry_ns_ = now_ns + retry_after_ns;
    failed_.push_back(slot);
    return;
  }
  ++under_way_;
  crowd_.open(client);
}

std::uint64_t Handshakes::on_time(std::uint64_t now_ns) {
  if (now_ns >= recorder_.times.end_ns) return UINT64_MAX;
  if (now_ns < retry_ns_) return retry_ns_;
  retry_ns_ = UINT64_MAX;
  for (const std::uint32_t slot : std::exchange(failed_, {})) {
    ++under_way_;
    crowd_.open(crowd_.client(slot));
  }
  return UINT64_MAX;
}

bool Handshakes::is_done() const {
  return under_way_ == 0;
}

}  // namespace ringroom::load
