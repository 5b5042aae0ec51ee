// An exchange's messages with one stamp each, out and in. For messages that are their stamp and
// nothing else it is one loop over what a receive brought, up to the first byte of the answers.
#include "load/exchange.h"

#include <cstring>

namespace ringroom::load {

using codec::ws::Opcode;
using Verdict = Stationery::Verdict;

// Inlined, all of them: a stamp stays in registers.
template <bool is_wrapped>
[[gnu::always_inline]] inline bool Exchange::send_stamped(Client& client, const Stamp& stamp) {
  const std::span<const std::byte> prefix =
      is_wrapped ? options_.prefix : std::span<const std::byte>();
  auto [out, key] = crowd_.queue(client, opcode_, prefix.size() + stamp.bytes);
  if (out == nullptr) [[unlikely]]
    return false;
  if (!prefix.empty()) {
    std::memcpy(out, prefix.data(), prefix.size());
    codec::ws::unmask(out, prefix.size(), key);
    out += prefix.size();
    key = codec::ws::rotate_mask_key(key, prefix.size());
  }
  stationery_.write(out, stamp, key);
  return true;
}

// What is begun with it, if anything is, waits for all its receivers.
template <bool is_wrapped>
[[gnu::always_inline]] inline void Exchange::send_now(std::uint32_t slot,
                                                      std::uint32_t flight,
                                                      std::uint64_t intended_ns,
                                                      Flight* begun) {
  Client& client = crowd_.client(slot);
  Seat& seat = seats_[slot];
  if (client.state != Client::State::open || seat.room >= rooms_) [[unlikely]]
    return;
  std::uint32_t number = seat.next_number;
  const std::uint32_t receivers = receivers_of(slot);
  bool is_sent = false;
  if (is_wrapped && envelopes_) {
    is_sent = send_envelope(client, flight, intended_ns);
  } else if (is_wrapped && agent_frames_) {
    is_sent = send_call(client, flight, intended_ns);
    // A state update before a call has a number too, but nobody waits for it.
    number = seat.next_number - 1;
  } else {
    const Stamp stamp = next_stamp(slot, flight, intended_ns);
    is_sent = send_stamped<is_wrapped>(client, stamp);
    if (is_sent) [[likely]]
      count_sent(slot, stamp.bytes, receivers);
  }
  if (!is_sent) [[unlikely]] {
    return crowd_.note(Fault::backlogged, "1 MiB waits for the server to read");
  }
  if (begun == nullptr) return;
  begun->number = number;
  begun->left = receivers * options_.batched;
  begun->sent_ns = intended_ns;
}

void Exchange::send(std::uint32_t slot, std::uint32_t flight, std::uint64_t intended_ns) {
  Flight* const begun = flight == no_flight ? nullptr : &flight_of(slot, flight);
  send_now<true>(slot, flight, intended_ns, begun);
}

// One delivery of a closed loop; after the last one the next message or envelope leaves.
template <bool is_wrapped>
[[gnu::always_inline]] inline void Exchange::land(std::uint32_t sender,
                                                  const Stamp& stamp,
                                                  std::uint64_t now_ns) {
  if (stamp.slot >= options_.in_flight) return;  // as those of an open loop
  Flight& flight = flight_of(sender, stamp.slot);
  if (stamp.number - flight.number >= options_.batched || flight.left == 0 || --flight.left != 0) {
    return;
  }
  if (now_ns >= recorder_.times.end_ns) [[unlikely]]
    return;
  send_now<is_wrapped>(sender, stamp.slot, now_ns, &flight);
}

template <bool is_wrapped>
[[gnu::always_inline]] inline void Exchange::count_taken(std::uint32_t slot,
                                                         const Stamp& stamp,
                                                         Sender sender,
                                                         std::uint64_t now_ns) {
  Tally& tally = crowd_.tally();
  ++tally.received;
  tally.received_bytes += stamp.bytes;
  const std::size_t stream = std::size_t{slot} * options_.senders + sender.rank;
  const Arrival arrival = sequences_[stream].take(stamp.number);
  if (arrival == Arrival::duplicate) [[unlikely]] {
    ++tally.duplicated;
    return;
  }
  if (arrival == Arrival::late) [[unlikely]]
    ++tally.reordered;
  ++tally.arrived;
  if (options_.closes_rooms) {
    std::uint32_t& owed = owed_[room_of(slot)];
    owed -= owed > 0 ? 1 : 0;
  }
  recorder_.record(stamp.intended_ns, now_ns);
  land<is_wrapped>(sender.slot, stamp, now_ns);
}

void Exchange::take_stamp(std::uint32_t slot,
                          const Stamp& stamp,
                          Sender sender,
                          std::uint64_t now_ns) {
  count_taken<true>(slot, stamp, sender, now_ns);
}

template <bool is_wrapped>
[[gnu::always_inline]] inline void Exchange::take_now(std::uint32_t slot,
                                                      std::span<const std::byte> message,
                                                      std::uint64_t now_ns) {
  Stamp stamp;
  Sender sender;
  const Verdict verdict = stationery_.read(message, stamp);
  if (verdict == Verdict::ours && find_sender(slot, stamp, sender) &&
      (sender.slot != slot || options_.includes_sender)) [[likely]] {
    count_taken<is_wrapped>(slot, stamp, sender, now_ns);
  } else if (verdict == Verdict::corrupted) {
    ++crowd_.tally().corrupted;
  } else {
    ++crowd_.tally().foreign;
  }
}

void Exchange::take(std::uint32_t slot, std::span<const std::byte> message, std::uint64_t now_ns) {
  take_now<true>(slot, message, now_ns);
}

void Exchange::on_message(Client& client,
                          Opcode,
                          std::span<const std::byte> message,
                          std::uint64_t now_ns) {
  const std::uint32_t slot = crowd_.slot_of(client);
  if (is_wrapped_) return take_wrapped(slot, message, now_ns);
  take(slot, message, now_ns);
}

void Exchange::on_bytes(Client& client, std::span<std::byte> bytes, std::uint64_t now_ns) {
  if (is_wrapped_) return Play::on_bytes(client, bytes, now_ns);
  const std::uint32_t slot = crowd_.slot_of(client);
  crowd_.read(client, bytes, now_ns, [this, slot, now_ns](Opcode, std::span<std::byte> message) {
    take_now<false>(slot, message, now_ns);
  });
}

}  // namespace ringroom::load
