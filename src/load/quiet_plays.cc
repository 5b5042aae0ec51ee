#include "load/quiet_plays.h"

#include <algorithm>
#include <utility>

namespace ringroom::load {

namespace {

constexpr std::uint64_t retry_after_ns = 100'000'000;

}  // namespace

// ---- Idle

void Idle::on_pong(Client& client, std::uint64_t now_ns) {
  const std::uint32_t slot = crowd_.slot_of(client);
  if (pings_ == 0 || answered_[slot]) return;
  answered_[slot] = true;
  ++pongs_;
  ++crowd_.tally().alive;
  ++crowd_.tally().arrived;
  recorder_.record_outside(now_ns - pinged_ns_);
}

void Idle::on_gone(Client& client, std::uint64_t) {
  const std::uint32_t slot = crowd_.slot_of(client);
  if (slot < answered_.size() && !answered_[slot]) ++pongs_;  // nothing to wait for
}

std::uint64_t Idle::on_time(std::uint64_t now_ns) {
  if (now_ns < recorder_.times.end_ns) return recorder_.times.end_ns;
  if (pinged_ns_ != 0) return UINT64_MAX;
  pinged_ns_ = now_ns;
  answered_.resize(crowd_.size());
  for (std::uint32_t slot = 0; slot < crowd_.size(); ++slot) {
    Client& client = crowd_.client(slot);
    if (client.state != Client::State::open) {
      answered_[slot] = true;
    } else if (crowd_.send(client, codec::ws::Opcode::ping, {})) {
      ++pings_;
    }
  }
  crowd_.tally().expected += pings_;
  return UINT64_MAX;
}

bool Idle::is_done() const {
  return pinged_ns_ != 0 && pongs_ >= pings_;
}

// ---- Storm

void Storm::begin() {
  begun_ = true;
  next_ns_ = recorder_.times.measure_ns;
}

void Storm::on_open(Client&, std::uint64_t now_ns) {
  if (!begun_ || missing_ == 0) return;
  recorder_.record(struck_ns_, now_ns);
  ++crowd_.tally().arrived;
  if (--missing_ == 0) ++crowd_.tally().cycles;
}

// Those that were cut wait for the last of them, so that all come back at once; who fails then
// tries again.
void Storm::on_gone(Client& client, std::uint64_t now_ns) {
  if (!begun_) return;
  outside_.push_back(crowd_.slot_of(client));
  if (leaving_ > 0) {
    if (--leaving_ == 0) retry_ns_ = now_ns;
    return;
  }
  if (outside_.size() == 1) retry_ns_ = now_ns + retry_after_ns;
}

std::uint64_t Storm::on_time(std::uint64_t now_ns) {
  const bool over = now_ns >= recorder_.times.end_ns;
  if (leaving_ == 0 && !outside_.empty() && now_ns >= retry_ns_) {
    retry_ns_ = UINT64_MAX;
    for (const std::uint32_t slot : std::exchange(outside_, {})) crowd_.open(crowd_.client(slot));
  }
  if (!over && missing_ == 0 && now_ns >= next_ns_) strike(now_ns);
  if (over) return retry_ns_;
  return missing_ == 0 ? std::min(next_ns_, retry_ns_) : retry_ns_;
}

void Storm::strike(std::uint64_t now_ns) {
  struck_ns_ = now_ns;
  next_ns_ = now_ns + every_ns_;
  for (std::uint32_t slot = 0; slot < crowd_.size(); ++slot) {
    Client& client = crowd_.client(slot);
    if (client.state != Client::State::open) continue;
    ++leaving_;
    crowd_.drop(client);
  }
  missing_ = leaving_;
  crowd_.tally().expected += missing_;
}

}  // namespace ringroom::load
