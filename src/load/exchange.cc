// An exchange's messages leave.
#include "load/exchange.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace ringroom::load {

using codec::ws::Opcode;

namespace {

constexpr std::uint64_t look_every_ns = 100'000'000;
// What is overdue leaves in portions, so that answers are read in between.
constexpr unsigned burst_max = 256;

// A step through so many rooms that comes by each, and lays any first few far apart.
std::uint64_t stride_through(std::size_t rooms) {
  constexpr double golden = 0.6180339887498949;
  auto stride = static_cast<std::uint64_t>(static_cast<double>(rooms) * golden) + 1;
  while (std::gcd(stride, std::uint64_t{rooms}) > 1) ++stride;
  return stride;
}

}  // namespace

Exchange::Exchange(Crowd& crowd,
                   const Stationery& stationery,
                   const ExchangeOptions& options,
                   Recorder& recorder)
    : Play(crowd, recorder),
      stationery_(stationery),
      options_(options),
      random_(base::Random::from_kernel()),
      seats_(crowd.size()),
      live_(crowd.size() / options.members),
      sequences_(crowd.size() * options.senders),
      flights_(options.rate > 0 ? 0 : crowd.size() * options.in_flight),
      opcode_(stationery.is_text() ? Opcode::text : Opcode::binary),
      is_wrapped_(!options.prefix.empty() || options.reads_ticks ||
                  options.envelopes != BatchFormat::none || !options.method.empty()),
      left_out_(options.includes_sender ? 0 : 1),
      rooms_(all_rooms()),
      room_stride_(stride_through(live_.size())) {
  for (std::uint32_t slot = 0; slot < seats_.size(); ++slot) {
    seats_[slot].room = slot / options.members;
    seats_[slot].rank = slot % options.members;
  }
  if (options.closes_rooms) owed_.resize(live_.size());
  if (options.envelopes != BatchFormat::none) envelopes_.emplace(stationery, options.envelopes);
  if (!options.method.empty()) {
    agent_frames_.emplace(stationery, options.method, options.arguments);
  }
}

void Exchange::begin() {
  if (!is_open_loop() || live_.empty()) return;
  const std::uint64_t begin_ns = recorder_.times.begin_ns;
  if (options_.period_ns != 0) {
    calendar_.emplace(begin_ns, options_.period_ns, options_.jitter, all_rooms() * options_.senders,
                      random_);
  } else if (!options_.stretches.empty()) {
    std::vector<Stretch> stretches = options_.stretches;
    for (Stretch& stretch : stretches) {
      stretch.rate_begin /= options_.batched;
      stretch.rate_end /= options_.batched;
    }
    schedule_.emplace(begin_ns, std::move(stretches), options_.phase);
  } else {
    schedule_.emplace(begin_ns, options_.rate / options_.batched, options_.phase);
  }
}

void Exchange::on_open(Client& client, std::uint64_t) {
  ++live_[room_of(crowd_.slot_of(client))];
  if (!options_.hello.empty()) crowd_.send(client, Opcode::binary, options_.hello);
}

void Exchange::on_gone(Client& client, std::uint64_t) {
  std::uint32_t& live = live_[room_of(crowd_.slot_of(client))];
  live -= live > 0 ? 1 : 0;
}

void Exchange::set_rooms(std::uint32_t rooms, std::uint64_t now_ns) {
  const std::uint32_t before = std::exchange(rooms_, rooms);
  for (std::uint32_t room = before; room < rooms && !owed_.empty(); ++room) owed_[room] = 0;
  const bool goes_on = next_look_ns_ != UINT64_MAX && now_ns < recorder_.times.end_ns;
  if (!is_open_loop() && goes_on) send_first(before, now_ns);
}

// Senders of an open loop take turns: the first of each room, then the second. However few rooms of
// a game are there, their turns are spread over the whole time.
std::uint32_t Exchange::sender_slot(std::uint64_t turn, std::uint32_t rooms) const {
  const std::uint64_t place = turn % (std::uint64_t{rooms} * options_.senders);
  const std::uint64_t room = place * (rooms == all_rooms() ? room_stride_ : 1) % rooms;
  return static_cast<std::uint32_t>(room * options_.members + place / rooms);
}

bool Exchange::send_envelope(Client& client, std::uint32_t flight, std::uint64_t intended_ns) {
  const std::uint32_t slot = crowd_.slot_of(client);
  stamps_.clear();
  for (std::uint32_t i = 0; i < options_.batched; ++i) {
    Stamp& stamp = stamps_.emplace_back(next_stamp(slot, flight, intended_ns));
    stamp.number += i;
  }
  const std::span<const std::byte> packed = envelopes_->pack(stamps_);
  if (!crowd_.send(client, envelopes_->is_text() ? Opcode::text : Opcode::binary, packed)) {
    return false;
  }
  for (const Stamp& stamp : stamps_) count_sent(slot, stamp.bytes, receivers_of(slot));
  return true;
}

// Now and then the state is changed first, which the room's others get.
bool Exchange::send_call(Client& client, std::uint32_t flight, std::uint64_t intended_ns) {
  const std::uint32_t slot = crowd_.slot_of(client);
  if (random_.next() % 100 < options_.states_percent) {
    const Stamp stamp = next_stamp(slot, no_flight, intended_ns);
    if (!send_text(client, agent_frames_->state(stamp))) return false;
    count_sent(slot, stamp.bytes, live_[room_of(slot)] - 1);
  }
  const Stamp stamp = next_stamp(slot, flight, intended_ns);
  if (!send_text(client, agent_frames_->call(stamp))) return false;
  count_sent(slot, stamp.bytes, receivers_of(slot));
  return true;
}

bool Exchange::send_text(Client& client, std::string_view frame) {
  return crowd_.send(client, Opcode::text, std::as_bytes(std::span(frame)));
}

std::uint64_t Exchange::on_time(std::uint64_t now_ns) {
  const Times& times = recorder_.times;
  // What was due before the end leaves also when we are late.
  if (schedule_) return send_due(*schedule_, rooms_, now_ns);
  if (calendar_) return send_due(*calendar_, all_rooms(), now_ns);
  if (now_ns >= times.end_ns) return UINT64_MAX;
  if (now_ns < times.begin_ns) return times.begin_ns;
  if (is_open_loop()) return UINT64_MAX;  // without anybody to send
  if (next_look_ns_ == UINT64_MAX) {
    next_look_ns_ = now_ns;
    send_first(0, now_ns);
  }
  if (now_ns >= next_look_ns_) look_for_lost(now_ns);
  return next_look_ns_;
}

template <typename Departures>
std::uint64_t Exchange::send_due(Departures& departures,
                                 std::uint32_t rooms,
                                 std::uint64_t now_ns) {
  for (unsigned burst = 0; burst < burst_max;) {
    const std::uint64_t due = departures.next_ns();
    if (due >= recorder_.times.end_ns) return UINT64_MAX;
    if (due > now_ns) return std::max(due, now_ns + options_.grain_ns);
    const std::uint32_t slot = rooms == 0 ? 0 : sender_slot(departures.turn(), rooms);
    departures.take();
    // Who isn't there (a game's later players) costs no turn, and of an empty room no look at what
    // is in no cache: a division is quicker than its seats.
    if (rooms == 0 || live_[slot / options_.members] == 0) continue;
    if (crowd_.client(slot).state != Client::State::open) continue;
    recorder_.lag_max_ns = std::max(recorder_.lag_max_ns, now_ns - due);
    send(slot, no_flight, due);
    ++burst;
  }
  return 0;
}

void Exchange::send_first(std::uint32_t first_room, std::uint64_t now_ns) {
  for (std::uint32_t flight = 0; flight < options_.in_flight; ++flight) {
    for (std::uint32_t rank = 0; rank < options_.senders; ++rank) {
      for (std::uint32_t room = first_room; room < rooms_; ++room) {
        send(room * options_.members + rank, flight, now_ns);
      }
    }
  }
}

// A closed loop would stand still behind a message that never comes.
void Exchange::look_for_lost(std::uint64_t now_ns) {
  next_look_ns_ = now_ns + look_every_ns;
  for (std::uint64_t turn = 0; turn < std::uint64_t{rooms_} * options_.senders; ++turn) {
    const std::uint32_t slot = sender_slot(turn, rooms_);
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
