#include "agent/queues.h"

#include "agent/host.h"
#include "codec/envelope/envelope.h"
#include "codec/ws/encoder.h"
#include "ringroom/limits.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ringroom::agent_runtime {

using codec::ws::Opcode;
using connection::Record;
using connection::Sent;
using connection::Stage;
using detail::ConnectionAccess;
namespace flag = connection::flag;

namespace {

constexpr std::uint64_t no_deadline = UINT64_MAX;
// A queue that is due within this part of its time leaves with those that are due: whoever joined
// later falls in with the others, and one turn serves them all.
constexpr std::uint64_t early_part = 8;
// So many different envelopes of a flush are remembered for members that get the same.
constexpr std::size_t encoded_max = 64;
// The first number after a start: later than all of the agent's before it slept, without anything
// kept; and exact in JSON for the next decade.
constexpr std::int64_t sequences_per_ms = 4096;

BatchFormat format_of(const Record& record) {
  if (record.has(flag::batch_flat)) return BatchFormat::flatbuffers;
  return record.has(flag::batch_json) ? BatchFormat::json_text : BatchFormat::none;
}

Opcode opcode_of(BatchFormat format) {
  return format == BatchFormat::flatbuffers ? Opcode::binary : Opcode::text;
}

std::size_t hash_of(std::span<const QueuedMessages::Id> messages) {
  std::size_t hash = messages.size();
  for (const QueuedMessages::Id id : messages) hash = (hash ^ id) * 0x100000001b3U;
  return hash;
}

}  // namespace

Queues::Queues(connection::Hub& hub,
               base::TimerHeap& timers,
               connection::Group& group,
               const AgentOptions& options,
               std::uint32_t room)
    : hub_(hub), timers_(timers), group_(group), options_(options), room_(room) {
  timer_.kind = static_cast<std::uint8_t>(RoomTimer::flush);
  timer_.owner = room;
}

Queues::~Queues() {
  timers_.cancel(timer_);
}

void Queues::add(const BatchedMessage& message, Now now) {
  if (has_added_) messages_.release(added_);
  if (sequence_ == 0) sequence_ = static_cast<std::uint64_t>(now.wall_ms * sequences_per_ms);
  added_ = messages_.add(message, now.wall_ms);
  has_added_ = true;
  encoded_used_ = 0;  // a number may stand for another message now
}

Queued Queues::push(std::uint32_t member, Now now) {
  Queue& queue = queue_of(member);
  Record& record = hub_.record(group_.members[member]);
  if (queue.missed_after > 0 && messages_.key(added_) == QueuedMessages::no_key) {
    ++queue.missed_after;
    return Queued::dropped;
  }
  messages_.retain(added_);
  queue.messages.push_back(added_);
  queue.bytes += messages_.bytes(added_);
  if (queue.messages.size() == 1) list(member, queue, now);
  if (is_slow(record)) [[unlikely]] {
    defer(record, queue);
    if (queue.messages.size() >= queue.conflate_at) conflate(queue);
    return is_over_limit(queue, record) ? overflow(member, queue, now) : Queued::queued;
  }
  return is_long(queue) ? push_on(member, queue, now) : Queued::queued;
}

// A queue that is long enough to leave. Half of the outbox is enough for one turn: behind that,
// keys conflate.
Queued Queues::push_on(std::uint32_t member, Queue& queue, Now now) {
  conflate(queue);
  if (!is_long(queue)) return Queued::queued;
  Record& record = hub_.record(group_.members[member]);
  if (hub_.buffered_bytes(record) < hub_.options().outbox_bytes_max / 2) {
    flush(member, now, false);
    return Queued::queued;
  }
  if (!is_over_limit(queue, record)) return Queued::queued;
  hub_.flush_now();
  if (!is_slow(record)) {
    flush(member, now, false);
    return Queued::queued;
  }
  defer(record, queue);
  return is_over_limit(queue, record) ? overflow(member, queue, now) : Queued::queued;
}

void Queues::flush(std::uint32_t member, Now now, bool urgent) {
  if (member >= queues_.size()) return;
  Queue& queue = queues_[member];
  if (queue.messages.empty() && queue.missed + queue.missed_after == 0) return;
  Record& record = hub_.record(group_.members[member]);
  if (record.stage != Stage::open) return clear(queue);
  if (!urgent && is_slow(record)) return defer(record, queue);
  conflate(queue);
  if (!send(slot_of(member), record, queue, now)) return defer(record, queue);
  clear(queue);
}

void Queues::flush_all(Now now) {
  for (const connection::SlotRef ref : std::exchange(waiting_, {})) {
    if (Queue* queue = unlist(ref)) {
      flush(hub_.slab()[ref.slot].member, now, true);
      if (!queue->messages.empty()) relist(ref, *queue);
    }
  }
}

void Queues::flush_due(Now now) {
  std::uint64_t next_ns = no_deadline;
  for (const connection::SlotRef ref : std::exchange(waiting_, {})) {
    Queue* queue = unlist(ref);
    if (queue == nullptr) continue;
    const std::uint64_t early_ns =
        std::uint64_t{queue->limits.flush_after_ms} * 1'000'000 / early_part;
    if (queue->due_ns <= now.monotonic_ns + early_ns) {
      flush(hub_.slab()[ref.slot].member, now, false);
    }
    if (queue->messages.empty()) continue;
    relist(ref, *queue);
    next_ns = std::min(next_ns, queue->due_ns);
  }
  if (next_ns != no_deadline) set_timer(next_ns);
}

// The marker is small, the last but the close frame, and may go beyond the limit.
void Queues::give_up(std::uint32_t member, Now now) {
  if (member >= queues_.size()) return;
  Queue& queue = queues_[member];
  const std::uint32_t missed =
      queue.missed + static_cast<std::uint32_t>(queue.messages.size()) + queue.missed_after;
  clear(queue);
  const std::uint32_t slot = slot_of(member);
  const Record& record = hub_.slab()[slot];
  if (missed == 0 || record.stage != Stage::open) return;
  const BatchFormat format = format_of(record);
  const std::vector<std::byte>& marker = encode(format, {}, missed, now).bytes;
  std::array<std::byte, codec::ws::header_bytes_max> header;
  hub_.send_raw(slot, std::span(header).first(codec::ws::encode_header(
                          header.data(), opcode_of(format), marker.size())));
  hub_.send_raw(slot, marker);
}

void Queues::leave(std::uint32_t member, std::uint32_t last) {
  if (member >= queues_.size()) return;
  clear(queues_[member]);
  if (last >= queues_.size()) {
    queues_[member] = Queue{.limits = options_.batching};
    return;
  }
  if (member != last) queues_[member] = std::move(queues_[last]);
  queues_.pop_back();
}

void Queues::set_limits(std::uint32_t member, const Batching& limits) {
  queue_of(member).limits = limits;
}

Queues::Queue& Queues::queue_of(std::uint32_t member) {
  if (member >= queues_.size()) {
    queues_.resize(group_.members.size(), Queue{.limits = options_.batching});
  }
  return queues_[member];
}

std::uint32_t Queues::slot_of(std::uint32_t member) const {
  return ConnectionAccess::slot(group_.members[member]);
}

bool Queues::is_long(const Queue& queue) {
  return queue.messages.size() >= queue.limits.messages_max ||
         queue.bytes >= queue.limits.bytes_max;
}

bool Queues::is_slow(const Record& record) {
  const connection::Active* active = hub_.active(record);
  return active != nullptr && !active->backlog.empty();
}

bool Queues::is_over_limit(const Queue& queue, const Record& record) {
  return queue.bytes + hub_.buffered_bytes(record) >= hub_.options().outbox_bytes_max;
}

Queued Queues::overflow(std::uint32_t member, Queue& queue, Now now) {
  const Record& record = hub_.record(group_.members[member]);
  conflate(queue);
  if (!is_over_limit(queue, record)) return Queued::queued;
  // Who fills its own outbox isn't read from until it drains.
  if (slot_of(member) == hub_.delivery.slot) {
    flush(member, now, true);
    return Queued::queued;
  }
  switch (options_.outbox_full) {
    case OutboxFull::close: return Queued::overflown;
    case OutboxFull::drop_oldest: drop_oldest(queue, record); return Queued::queued;
    case OutboxFull::drop_newest: break;
  }
  forget(queue, queue.messages.back());
  queue.messages.pop_back();
  if (queue.missed_after++ == 0) queue.gap_at = queue.messages.size();
  return Queued::dropped;
}

// Reliable ones first, since of a key the newest is left; and not the last message, which is new.
void Queues::drop_oldest(Queue& queue, const Record& record) {
  for (const bool keyed_too : {false, true}) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < queue.messages.size(); ++i) {
      const QueuedMessages::Id id = queue.messages[i];
      const bool may_go = keyed_too || messages_.key(id) == QueuedMessages::no_key;
      if (may_go && i + 1 < queue.messages.size() && is_over_limit(queue, record)) {
        forget(queue, id);
        ++queue.missed;
      } else {
        queue.messages[kept++] = id;
      }
    }
    queue.messages.resize(kept);
  }
}

// Of each key the newest stays, where it stands.
void Queues::conflate(Queue& queue) {
  seen_keys_.resize(std::max(seen_keys_.size(), messages_.keys_end()));
  if (++seen_round_ == 0) {
    std::fill(seen_keys_.begin(), seen_keys_.end(), 0);
    seen_round_ = 1;
  }
  std::size_t first = queue.messages.size();
  for (std::size_t i = queue.messages.size(); i-- > 0;) {
    const QueuedMessages::Id id = queue.messages[i];
    const std::uint32_t key = messages_.key(id);
    if (key != QueuedMessages::no_key &&
        std::exchange(seen_keys_[key], seen_round_) == seen_round_) {
      if (i < queue.gap_at) --queue.gap_at;
      forget(queue, id);
    } else {
      queue.messages[--first] = id;
    }
  }
  queue.messages.erase(queue.messages.begin(),
                       queue.messages.begin() + static_cast<std::ptrdiff_t>(first));
  queue.conflate_at = std::max<std::size_t>(queue.limits.messages_max, 2 * queue.messages.size());
}

void Queues::forget(Queue& queue, QueuedMessages::Id id) {
  queue.bytes -= messages_.bytes(id);
  messages_.release(id);
}

void Queues::clear(Queue& queue) {
  for (const QueuedMessages::Id id : queue.messages) messages_.release(id);
  queue.messages.clear();
  if (queue.messages.capacity() > 4 * limits::KiB)
    std::vector<std::uint32_t>().swap(queue.messages);
  queue.bytes = 0;
  queue.missed = 0;
  queue.missed_after = 0;
  queue.gap_at = 0;
}

// The first message of a queue.
void Queues::list(std::uint32_t member, Queue& queue, Now now) {
  queue.due_ns = now.since_ns + std::uint64_t{queue.limits.flush_after_ms} * 1'000'000;
  queue.conflate_at = queue.limits.messages_max;
  set_timer(queue.due_ns);
  if (queue.listed) return;
  const ConnectionRef ref = group_.members[member].ref();
  relist({ref.index, ref.generation}, queue);
}

void Queues::relist(connection::SlotRef ref, Queue& queue) {
  queue.listed = true;
  waiting_.push_back(ref);
}

// The queue of one that was in the list, null if it has left.
Queues::Queue* Queues::unlist(connection::SlotRef ref) {
  const Record* record = hub_.find(ref.slot, ref.generation);
  if (record == nullptr || record->room != room_ || record->member >= queues_.size()) {
    return nullptr;
  }
  Queue& queue = queues_[record->member];
  queue.listed = false;
  return &queue;
}

// Goes on when the client has read what the kernel has (Host::drained).
void Queues::defer(Record& record, Queue& queue) {
  record.set(flag::was_full);
  queue.due_ns = no_deadline;
}

// What was missed is told by the envelope behind it: one ends where a gap begins.
bool Queues::send(std::uint32_t slot, const Record& record, Queue& queue, Now now) {
  const BatchFormat format = format_of(record);
  while (!queue.messages.empty()) {
    std::size_t count = std::min<std::size_t>(queue.messages.size(), limits::envelope_messages_max);
    if (queue.missed_after > 0 && queue.gap_at == 0) {
      queue.missed += std::exchange(queue.missed_after, 0);
    } else if (queue.missed_after > 0) {
      count = std::min(count, queue.gap_at);
    }
    const auto some = std::span<const QueuedMessages::Id>(queue.messages).first(count);
    Encoded& envelope = encode(format, some, queue.missed, now);
    if (hub_.send_shared(slot, opcode_of(format), envelope.bytes, envelope.frame) != Sent::queued) {
      return false;
    }
    for (const QueuedMessages::Id id : some) forget(queue, id);
    queue.messages.erase(queue.messages.begin(),
                         queue.messages.begin() + static_cast<std::ptrdiff_t>(count));
    queue.missed = 0;
    queue.gap_at -= std::min(count, queue.gap_at);
  }
  const std::uint32_t missed = queue.missed + queue.missed_after;
  return missed == 0 ||
         hub_.send(slot, opcode_of(format), encode(format, {}, missed, now).bytes) == Sent::queued;
}

Queues::Encoded& Queues::encode(BatchFormat format,
                                std::span<const QueuedMessages::Id> messages,
                                std::uint32_t missed,
                                Now now) {
  if (encoded_at_ns_ != now.monotonic_ns) encoded_used_ = 0;
  encoded_at_ns_ = now.monotonic_ns;
  const std::size_t hash = hash_of(messages);
  for (std::size_t i = 0; i < encoded_used_; ++i) {
    Encoded& known = encoded_[i];
    if (known.hash == hash && known.format == format && known.missed == missed &&
        std::equal(known.messages.begin(), known.messages.end(), messages.begin(),
                   messages.end())) {
      return known;
    }
  }
  if (encoded_used_ == encoded_max) encoded_used_ = 0;
  if (encoded_used_ == encoded_.size()) encoded_.emplace_back();
  Encoded& made = encoded_[encoded_used_++];
  made.format = format;
  made.missed = missed;
  made.hash = hash;
  made.messages.assign(messages.begin(), messages.end());
  made.bytes.clear();
  made.frame = {};
  views_.clear();
  for (const QueuedMessages::Id id : messages) views_.push_back(messages_.view(id, now.wall_ms));
  const codec::envelope::Head head{now.wall_ms, ++sequence_, missed};
  if (format == BatchFormat::flatbuffers) {
    codec::envelope::append_flat(made.bytes, head, views_);
  } else {
    codec::envelope::append_json(made.bytes, head, views_);
  }
  return made;
}

void Queues::set_timer(std::uint64_t at_ns) {
  if (!timer_.is_set() || at_ns < timer_.deadline_ns) timers_.set(timer_, at_ns);
}

}  // namespace ringroom::agent_runtime
