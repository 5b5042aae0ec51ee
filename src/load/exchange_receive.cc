// What comes in, in an exchange.
#include "load/exchange.h"

#include <algorithm>

namespace ringroom::load {

using Verdict = Stationery::Verdict;

namespace {

constexpr std::uint32_t no_flight = UINT32_MAX;

}  // namespace

void Exchange::on_message(Client& client,
                          codec::ws::Opcode,
                          std::span<const std::byte> message,
                          std::uint64_t now_ns) {
  const std::size_t prefix = options_.prefix.size();
  if (prefix != 0) {
    if (!std::equal(
            options_.prefix.begin(), options_.prefix.end(), message.begin(),
            message.begin() + static_cast<std::ptrdiff_t>(std::min(prefix, message.size())))) {
      ++crowd_.tally().foreign;
      return;
    }
    message = message.subspan(prefix);
  }
  if (options_.reads_ticks) return take_ticks(client, message, now_ns);
  if (envelopes_) return take_envelope(client, message, now_ns);
  if (agent_frames_) return take_agent_frame(client, message, now_ns);
  take(client, message, now_ns);
}

// Who in the client's room sent it. False: nobody who sends.
bool Exchange::find_sender(const Client& client, const Stamp& stamp, std::uint32_t& sender) const {
  const std::uint32_t slot = crowd_.slot_of(client);
  const std::uint32_t room_begin = slot - seats_[slot].rank;
  const std::uint32_t rank = stamp.sender - crowd_.client(room_begin).index;
  sender = room_begin + rank;
  return rank < options_.senders;
}

void Exchange::take(Client& client, std::span<const std::byte> message, std::uint64_t now_ns) {
  Stamp stamp;
  std::uint32_t sender = 0;
  const Verdict verdict = stationery_.read(message, stamp);
  if (verdict == Verdict::corrupted) {
    ++crowd_.tally().corrupted;
  } else if (verdict == Verdict::foreign || !find_sender(client, stamp, sender) ||
             (sender == crowd_.slot_of(client) && !options_.includes_sender)) {
    ++crowd_.tally().foreign;
  } else {
    take_stamp(client, stamp, sender, now_ns);
  }
}

void Exchange::take_stamp(Client& client,
                          const Stamp& stamp,
                          std::uint32_t sender,
                          std::uint64_t now_ns) {
  Tally& tally = crowd_.tally();
  ++tally.received;
  tally.received_bytes += stamp.bytes;
  const std::uint32_t slot = crowd_.slot_of(client);
  const std::size_t stream = std::size_t{slot} * options_.senders + seats_[sender].rank;
  const Arrival arrival = sequences_[stream].take(stamp.number);
  if (arrival == Arrival::duplicate) {
    ++tally.duplicated;
    return;
  }
  tally.reordered += arrival == Arrival::late ? 1 : 0;
  ++tally.arrived;
  if (!owed_.empty()) {
    std::uint32_t& owed = owed_[room_of(slot)];
    owed -= owed > 0 ? 1 : 0;
  }
  recorder_.record(stamp.intended_ns, now_ns);
  if (stamp.slot != no_flight) land(sender, stamp, now_ns);
}

void Exchange::take_envelope(Client& client,
                             std::span<const std::byte> frame,
                             std::uint64_t now_ns) {
  Batch batch;
  switch (envelopes_->read(frame, batch)) {
    case Envelopes::Verdict::message: return take(client, frame, now_ns);
    case Envelopes::Verdict::malformed: ++crowd_.tally().corrupted; return;
    case Envelopes::Verdict::envelope: break;
  }
  for (const BatchedMessage message : batch) take(client, message.payload, now_ns);
}

// An answer is for its caller, a state for everybody else; the agent's own frames are for nobody.
void Exchange::take_agent_frame(Client& client,
                                std::span<const std::byte> frame,
                                std::uint64_t now_ns) {
  const AgentFrames::Frame read = agent_frames_->read(frame);
  if (read.kind == AgentFrames::Kind::refusal) return crowd_.note(Fault::refused, read.text);
  if (read.kind == AgentFrames::Kind::other) return;
  Stamp stamp;
  std::uint32_t sender = 0;
  const Verdict verdict = stationery_.read(read.stamp, stamp);
  const bool is_answer = read.kind == AgentFrames::Kind::answer;
  if (verdict == Verdict::corrupted) {
    ++crowd_.tally().corrupted;
  } else if (verdict == Verdict::foreign || !find_sender(client, stamp, sender) ||
             is_answer != (sender == crowd_.slot_of(client))) {
    ++crowd_.tally().foreign;
  } else {
    take_stamp(client, stamp, sender, now_ns);
  }
}

// u32 member, u16 length, bytes, over and over; what was there a tick ago may be there again.
void Exchange::take_ticks(const Client& client,
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
        stationery_.read(state.subspan(head_bytes, bytes), stamp) != Verdict::ours ||
        !find_sender(client, stamp, sender)) {
      ++tally.corrupted;
      return;
    }
    state = state.subspan(head_bytes + bytes);
    switch (sequences_[streams + seats_[sender].rank].take(stamp.number)) {
      case Arrival::in_order: recorder_.record(stamp.intended_ns, now_ns); break;
      case Arrival::late: ++tally.reordered; break;
      case Arrival::duplicate: break;
    }
  }
}

// One delivery of a closed loop; after the last one the next message or envelope leaves.
void Exchange::land(std::uint32_t sender, const Stamp& stamp, std::uint64_t now_ns) {
  if (stamp.slot >= options_.in_flight) return;
  Flight& flight = flight_of(sender, stamp.slot);
  if (stamp.number - flight.number >= options_.batched || flight.left == 0 || --flight.left != 0) {
    return;
  }
  if (now_ns < recorder_.times.end_ns) send(sender, stamp.slot, now_ns);
}

}  // namespace ringroom::load
