// What comes in, in an exchange, where a message isn't its stamp and nothing else.
#include "load/exchange.h"

#include <algorithm>

namespace ringroom::load {

using Verdict = Stationery::Verdict;

void Exchange::take_wrapped(std::uint32_t slot,
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
  if (options_.reads_ticks) return take_ticks(slot, message, now_ns);
  if (envelopes_) return take_envelope(slot, message, now_ns);
  if (agent_frames_) return take_agent_frame(slot, message, now_ns);
  take(slot, message, now_ns);
}

void Exchange::take_envelope(std::uint32_t slot,
                             std::span<const std::byte> frame,
                             std::uint64_t now_ns) {
  Batch batch;
  switch (envelopes_->read(frame, batch)) {
    case Envelopes::Verdict::message: return take(slot, frame, now_ns);
    case Envelopes::Verdict::malformed: ++crowd_.tally().corrupted; return;
    case Envelopes::Verdict::envelope: break;
  }
  for (const BatchedMessage message : batch) take(slot, message.payload, now_ns);
}

// An answer is for its caller, a state for everybody else; the agent's own frames are for nobody.
void Exchange::take_agent_frame(std::uint32_t slot,
                                std::span<const std::byte> frame,
                                std::uint64_t now_ns) {
  const AgentFrames::Frame read = agent_frames_->read(frame);
  if (read.kind == AgentFrames::Kind::refusal) return crowd_.note(Fault::refused, read.text);
  if (read.kind == AgentFrames::Kind::other) return;
  Stamp stamp;
  Sender sender;
  const Verdict verdict = stationery_.read(read.stamp, stamp);
  const bool is_answer = read.kind == AgentFrames::Kind::answer;
  if (verdict == Verdict::corrupted) {
    ++crowd_.tally().corrupted;
  } else if (verdict == Verdict::foreign || !find_sender(slot, stamp, sender) ||
             is_answer != (sender.slot == slot)) {
    ++crowd_.tally().foreign;
  } else {
    take_stamp(slot, stamp, sender, now_ns);
  }
}

// u32 member, u16 length, bytes, over and over; what was there a tick ago may be there again.
void Exchange::take_ticks(std::uint32_t slot,
                          std::span<const std::byte> state,
                          std::uint64_t now_ns) {
  constexpr std::size_t head_bytes = 6;
  Tally& tally = crowd_.tally();
  ++tally.received;
  tally.received_bytes += state.size();
  const std::size_t streams = std::size_t{slot} * options_.senders;
  while (!state.empty()) {
    const std::size_t bytes =
        state.size() < head_bytes
            ? 0
            : std::to_integer<std::size_t>(state[4]) | std::to_integer<std::size_t>(state[5]) << 8U;
    Stamp stamp;
    Sender sender;
    if (bytes == 0 || state.size() < head_bytes + bytes ||
        stationery_.read(state.subspan(head_bytes, bytes), stamp) != Verdict::ours ||
        !find_sender(slot, stamp, sender)) {
      ++tally.corrupted;
      return;
    }
    state = state.subspan(head_bytes + bytes);
    switch (sequences_[streams + sender.rank].take(stamp.number)) {
      case Arrival::in_order: recorder_.record(stamp.intended_ns, now_ns); break;
      case Arrival::late: ++tally.reordered; break;
      case Arrival::duplicate: break;
    }
  }
}

}  // namespace ringroom::load
