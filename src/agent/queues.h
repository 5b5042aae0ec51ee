// Queues: what the members of one room are to get in envelopes. A message is kept once, a member's
// queue is a list of numbers; members whose queues hold the same get the same bytes, encoded once.
// A member that doesn't read keeps its queue, where newer values replace older ones, until it reads
// again. Made by the room at its first queue(), while its agent is awake; on the room's shard. Each
// queue is bounded by outbox_bytes_max, together with what the kernel hasn't taken.
#pragma once

#include "agent/queued_messages.h"
#include "base/timer_heap.h"
#include "connection/group.h"
#include "connection/hub.h"
#include "ringroom/agent_options.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ringroom::agent_runtime {

/// What became of a queued message.
enum class Queued : std::uint8_t {
  queued,
  dropped,    // the queue is full; the gap marker will tell
  overflown,  // the queue is full, and the class closes such connections
};

class Queues {
 public:
  Queues(connection::Hub& hub,
         base::TimerHeap& timers,
         connection::Group& group,
         const AgentOptions& options,
         std::uint32_t room);
  ~Queues();
  Queues(const Queues&) = delete;
  Queues& operator=(const Queues&) = delete;

  struct Now {
    std::uint64_t monotonic_ns;
    std::uint64_t since_ns;  // what is queued now was caused no earlier
    std::int64_t wall_ms;
  };

  /// Keeps a message, for push() until the next one.
  void add(const BatchedMessage& message, Now now);
  /// Puts it at the end of a member's queue, which leaves if it is long enough.
  Queued push(std::uint32_t member, Now now);

  /// Sends what a member's queue holds, behind what it has been sent before. One that isn't
  /// `urgent` waits for a client that doesn't read.
  void flush(std::uint32_t member, Now now, bool urgent);
  void flush_all(Now now);
  /// The timer: those whose time has come.
  void flush_due(Now now);
  /// Forgets a queue, and tells its client how much it missed.
  void give_up(std::uint32_t member, Now now);
  /// A member left; the one at `last` takes its place.
  void leave(std::uint32_t member, std::uint32_t last);
  /// When a member's queue leaves from now on.
  void set_limits(std::uint32_t member, const Batching& limits);

  bool empty() const { return waiting_.empty(); }

 private:
  struct Queue {
    std::vector<QueuedMessages::Id> messages{};
    std::size_t bytes = 0;
    std::size_t conflate_at = 0;  // messages, of a queue that waits for its client
    std::uint64_t due_ns = 0;
    std::uint32_t missed = 0;        // before the first of them
    std::uint32_t missed_after = 0;  // behind the first `gap_at` of them
    std::size_t gap_at = 0;
    bool listed = false;  // in waiting_
    Batching limits{};
  };
  /// An envelope that was made, as long as no message was added since.
  struct Encoded {
    BatchFormat format = BatchFormat::none;
    std::uint32_t missed = 0;
    std::size_t hash = 0;
    std::vector<QueuedMessages::Id> messages;
    std::vector<std::byte> bytes;
    connection::SharedFrame frame;  // of all who get it in this turn
  };

  Queue& queue_of(std::uint32_t member);
  std::uint32_t slot_of(std::uint32_t member) const;
  static bool is_long(const Queue& queue);
  bool is_slow(const connection::Record& record);
  bool is_over_limit(const Queue& queue, const connection::Record& record);
  Queued push_on(std::uint32_t member, Queue& queue, Now now);
  Queued overflow(std::uint32_t member, Queue& queue, Now now);
  void drop_oldest(Queue& queue, const connection::Record& record);
  void conflate(Queue& queue);
  void forget(Queue& queue, QueuedMessages::Id id);
  void clear(Queue& queue);
  void relist(connection::SlotRef ref, Queue& queue);
  Queue* unlist(connection::SlotRef ref);
  void list(std::uint32_t member, Queue& queue, Now now);
  void defer(connection::Record& record, Queue& queue);
  bool send(std::uint32_t slot, const connection::Record& record, Queue& queue, Now now);
  Encoded& encode(BatchFormat format,
                  std::span<const QueuedMessages::Id> messages,
                  std::uint32_t missed,
                  Now now);
  void set_timer(std::uint64_t at_ns);

  connection::Hub& hub_;
  base::TimerHeap& timers_;
  connection::Group& group_;
  const AgentOptions& options_;
  const std::uint32_t room_;

  QueuedMessages messages_;
  QueuedMessages::Id added_ = 0;
  bool has_added_ = false;
  std::vector<Queue> queues_;                 // by member
  std::vector<connection::SlotRef> waiting_;  // members whose queues aren't empty
  base::Timer timer_;
  std::uint64_t sequence_ = 0;

  std::vector<std::uint32_t> seen_keys_;  // by key: the round in which it was last seen
  std::uint32_t seen_round_ = 0;
  std::vector<Encoded> encoded_;
  std::size_t encoded_used_ = 0;
  std::uint64_t encoded_at_ns_ = 0;  // the turn they were made in
  std::vector<BatchedMessage> views_;
};

}  // namespace ringroom::agent_runtime
