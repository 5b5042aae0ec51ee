#include "load/exchange.h"

#include <algorithm>

namespace ringroom::load {

namespace {

constexpr std::uint32_t no_flight = UINT32_MAX;
constexpr std::uint64_t look_every_ns = 100'000'000;
// What is overdue leaves in portions, so that answers are read in between.
constexpr unsigned burst_max = 256;

}  // namespace

Exchange::Exchange(Crowd& crowd,
                   const Stationery& stationery,
                   const ExchangeOptions& options,
                   Recorder& recorder)
    : crowd_(crowd),
      stationery_(stationery),
      options_(options),
      recorder_(recorder),
      random_(base::Random::from_kernel()),
      next_numbers_(crowd.size()),
      live_(crowd.size() / options.members),
      sequences_(crowd.size() * options.senders),
      flights_(options.rate > 0 ? 0 : crowd.size() * options.in_flight),
      senders_total_(live_.size() * options.senders) {}

void Exchange::begin() {
  if (is_open_loop()) {
    schedule_.emplace(recorder_.times.begin_ns, options_.rate, options_.phase);
  }
}

void Exchange::on_open(Client& client, std::uint64_t) {
  ++live_[crowd_.slot_of(client) / options_.members];
}

void Exchange::on_gone(Client& client, std::uint64_t) {
  std::uint32_t& live = live_[crowd_.slot_of(client) / options_.members];
  live -= live > 0 ? 1 : 0;
}

void Exchange::on_pong(Client&, std::uint64_t) {}

std::uint32_t Exchange::pick_size() {
  const Sizes& sizes = options_.sizes;
  if (sizes.least == sizes.most) return sizes.least;
  return sizes.least + static_cast<std::uint32_t>(random_.next() % (sizes.most - sizes.least + 1));
}

// Senders of an open loop take turns: the first of each room, then the second.
std::uint32_t Exchange::sender_slot(std::uint64_t turn) const {
  const std::uint64_t place = turn % senders_total_;
  return static_cast<std::uint32_t>(place % live_.size() * options_.members + place / live_.size());
}

void Exchange::send(std::uint32_t slot, std::uint32_t flight, std::uint64_t intended_ns) {
  Client& client = crowd_.client(slot);
  if (client.state != Client::State::open) return;
  Tally& tally = crowd_.tally();
  const Stamp stamp{client.index, next_numbers_[slot], flight, pick_size(), intended_ns};
  const auto opcode = stationery_.is_text() ? codec::ws::Opcode::text : codec::ws::Opcode::binary;
  if (!crowd_.send(client, opcode, stamp.bytes,
                   [&](std::byte* out) { stationery_.write(out, stamp); })) {
    return crowd_.note(Fault::backlogged, "1 MiB waits for the server to read");
  }
  ++next_numbers_[slot];
  const std::uint32_t receivers =
      live_[slot / options_.members] - (options_.includes_sender ? 0 : 1);
  ++tally.sent;
  tally.sent_bytes += stamp.bytes;
  // Of two inputs in one tick the state shows the later.
  if (!options_.reads_ticks) tally.expected += receivers;
  if (flight != no_flight) flight_of(slot, flight) = {stamp.number, receivers, intended_ns};
}

// Whether the message is for this client; says who sent it.
bool Exchange::check(const Client& client, const Stamp& stamp, std::uint32_t& sender) {
  const std::uint32_t slot = crowd_.slot_of(client);
  const std::uint32_t own_rank = slot % options_.members;
  const std::uint32_t room_begin = slot - own_rank;
  const std::uint32_t rank = stamp.sender - crowd_.client(room_begin).index;
  if (rank >= options_.senders) return false;
  sender = room_begin + rank;
  return options_.includes_sender || rank != own_rank;
}

void Exchange::on_message(Client& client,
                          codec::ws::Opcode,
                          std::span<const std::byte> message,
                          std::uint64_t now_ns) {
  if (options_.reads_ticks) return on_state(client, message, now_ns);
  Tally& tally = crowd_.tally();
  Stamp stamp;
  std::uint32_t sender = 0;
  const Stationery::Verdict verdict = stationery_.read(message, stamp);
  if (verdict == Stationery::Verdict::corrupted) {
    ++tally.corrupted;
    return;
  }
  if (verdict == Stationery::Verdict::foreign || !check(client, stamp, sender)) {
    ++tally.foreign;
    return;
  }
  ++tally.received;
  tally.received_bytes += message.size();
  const std::size_t stream =
      std::size_t{crowd_.slot_of(client)} * options_.senders + sender % options_.members;
  const Arrival arrival = sequences_[stream].take(stamp.number);
  if (arrival == Arrival::duplicate) {
    ++tally.duplicated;
    return;
  }
  tally.reordered += arrival == Arrival::late ? 1 : 0;
  ++tally.arrived;
  recorder_.record(stamp.intended_ns, now_ns);
  if (stamp.slot != no_flight) land(sender, stamp, now_ns);
}

// u32 member, u16 length, bytes, over and over; what was there a tick ago may be there again.
void Exchange::on_state(const Client& client,
                        std::span<const std::byte> state,
                        std::uint64_t now_ns) {
  constexpr std::size_t head_bytes = 6;
  Tally& tally = crowd_.tally();
  ++tally.received;
  tally.received_bytes += state.size();
  const std::size_t streams = std::size_t{crowd_.slot_of(client)} * options_.senders;
  while (!state.empty()) {
    const std::size_t bytes =
        state.size() < head_bytes
            ? 0
            : std::to_integer<std::size_t>(state[4]) | std::to_integer<std::size_t>(state[5]) << 8U;
    Stamp stamp;
    std::uint32_t sender = 0;
    if (bytes == 0 || state.size() < head_bytes + bytes ||
        stationery_.read(state.subspan(head_bytes, bytes), stamp) != Stationery::Verdict::ours ||
        !check(client, stamp, sender)) {
      ++tally.corrupted;
      return;
    }
    state = state.subspan(head_bytes + bytes);
    switch (sequences_[streams + sender % options_.members].take(stamp.number)) {
      case Arrival::in_order: recorder_.record(stamp.intended_ns, now_ns); break;
      case Arrival::late: ++tally.reordered; break;
      case Arrival::duplicate: break;
    }
  }
}

// One delivery of a closed loop's message; after the last one the next leaves.
void Exchange::land(std::uint32_t sender, const Stamp& stamp, std::uint64_t now_ns) {
  if (stamp.slot >= options_.in_flight) return;
  Flight& flight = flight_of(sender, stamp.slot);
  if (flight.number != stamp.number || flight.left == 0 || --flight.left != 0) return;
  if (now_ns < recorder_.times.end_ns) send(sender, stamp.slot, now_ns);
}

std::uint64_t Exchange::on_time(std::uint64_t now_ns) {
  const Times& times = recorder_.times;
  if (now_ns >= times.end_ns) return UINT64_MAX;
  if (now_ns < times.begin_ns) return times.begin_ns;
  if (schedule_) return send_due(now_ns);
  if (next_look_ns_ == UINT64_MAX) {
    next_look_ns_ = now_ns;
    send_first(now_ns);
  }
  if (now_ns >= next_look_ns_) look_for_lost(now_ns);
  return next_look_ns_;
}

std::uint64_t Exchange::send_due(std::uint64_t now_ns) {
  for (unsigned burst = 0; burst < burst_max; ++burst) {
    const std::uint64_t due = schedule_->next_ns();
    if (due >= recorder_.times.end_ns) return UINT64_MAX;
    if (due > now_ns) return due;
    recorder_.lag_max_ns = std::max(recorder_.lag_max_ns, now_ns - due);
    send(sender_slot(schedule_->taken()), no_flight, due);
    schedule_->take();
  }
  return 0;
}

void Exchange::send_first(std::uint64_t now_ns) {
  for (std::uint32_t flight = 0; flight < options_.in_flight; ++flight) {
    for (std::uint64_t turn = 0; turn < senders_total_; ++turn) {
      send(sender_slot(turn), flight, now_ns);
    }
  }
}

// A closed loop would stand still behind a message that never comes.
void Exchange::look_for_lost(std::uint64_t now_ns) {
  next_look_ns_ = now_ns + look_every_ns;
  for (std::uint64_t turn = 0; turn < senders_total_; ++turn) {
    const std::uint32_t slot = sender_slot(turn);
    if (crowd_.client(slot).state != Client::State::open) continue;
    for (std::uint32_t i = 0; i < options_.in_flight; ++i) {
      const Flight& flight = flight_of(slot, i);
      const bool waits = now_ns - flight.sent_ns < options_.reply_timeout_ns;
      if (flight.left != 0 && waits) continue;
      if (flight.left != 0) crowd_.note(Fault::unanswered, "a message went missing");
      send(slot, i, now_ns);
    }
  }
}

bool Exchange::is_done() const {
  const Tally& tally = crowd_.tally();
  return crowd_.opened() == 0 || tally.arrived >= tally.expected;
}

}  // namespace ringroom::load
