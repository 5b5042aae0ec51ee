// Hub: all connections of one shard: their records, what they have to send, and how they end.
// Frames are written during a turn's callbacks, sent at its end (flush), and forgotten when the
// kernel has taken them (settle). Made and used by the shard, on its thread. Bounded by the ring's
// table, and per connection by outbox_bytes_max.
#pragma once

#include "base/arena.h"
#include "base/recycler.h"
#include "base/timer_heap.h"
#include "codec/ws/deflate.h"
#include "codec/ws/frame.h"
#include "connection/active.h"
#include "connection/blob_store.h"
#include "connection/details.h"
#include "connection/group.h"
#include "connection/record.h"
#include "connection/slab.h"
#include "reactor/ring.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace ringroom::connection {

struct HubOptions {
  std::size_t outbox_bytes_max = 0;
  std::size_t attachment_bytes_max = 0;
  std::chrono::nanoseconds close_timeout{};
};

/// What became of a frame.
enum class Sent : std::uint8_t { queued, full, closed };

/// What happens to a frame for a connection whose outbox is full.
enum class WhenFull : std::uint8_t { refuse, drop_oldest };

/// What a Timer of a connection is about.
enum class Deadline : std::uint8_t { handshake, keep_alive, close, linger };

/// A slot with its generation, for lists that outlive what they name.
struct SlotRef {
  std::uint32_t slot;
  std::uint32_t generation;
};

/// A frame that many connections send from one place in the turn's memory: who sends it first lays
/// it there. Kept by the caller beside the payload.
struct SharedFrame {
  Segment bytes{};
  std::uint32_t turn = 0;  // in which it lies there
};

/// How many of those whose gate is open get what was held for them in one turn: a send costs the
/// kernel 5 µs, and other rooms wait for the turn to end. A part of them in any case, so that they
/// don't become ever more.
inline std::size_t releases_of_turn(std::size_t waiting) {
  return std::max<std::size_t>(32, waiting / 8);
}

/// What the Hub counts; the shard publishes it.
struct HubCounts {
  std::uint64_t connections_parked = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t bytes_sent = 0;
};

class Hub {
 public:
  Hub(reactor::Ring& ring,
      std::vector<reactor::Completion>& completions,
      base::TimerHeap& timers,
      const HubOptions& options);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  // ---- Records

  Slab& slab() { return slab_; }
  BlobStore& blobs() { return blobs_; }
  HostNames& host_names() { return host_names_; }
  const HubOptions& options() const { return options_; }
  /// The record of a new socket.
  Record& open(std::uint32_t slot, Stage stage) { return slab_.open(slot, stage); }
  Record* find(std::uint32_t slot, std::uint32_t generation) {
    return slab_.find(slot, generation);
  }
  Record& record(const Connection& member) { return slab_[detail::ConnectionAccess::slot(member)]; }
  /// The Active of a connection, made if it was quiet.
  Active& activate(Record& record) {
    if (record.active == none) record.active = actives_.take();
    return actives_[record.active];
  }
  Active* active(const Record& record) {
    return record.active == none ? nullptr : &actives_[record.active];
  }
  /// The same of whoever had that slot; null if it is gone.
  Active* active(SlotRef ref) {
    const Record* record = slab_.find(ref.slot, ref.generation);
    return record == nullptr ? nullptr : active(*record);
  }
  /// Gives the Active back if nothing is under way.
  void release_if_quiet(Record& record) {
    if (record.active != none && actives_[record.active].quiet()) release_active(record);
  }
  /// Asks for the socket's bytes by a poll, which costs least and holds nothing. The record is
  /// sealed meanwhile.
  void park(std::uint32_t slot, Record& record);
  /// The poll has ended.
  void unpark(Record& record);
  /// After a change to what the seal of a parked connection covers.
  static void renew_seal(Record& record);
  /// The tag of the request that waits for the connection's bytes (flag::receiving).
  static reactor::Tag receive_tag(std::uint32_t slot, const Record& record);
  void set_deadline(std::uint32_t slot, Deadline about, std::uint64_t at_ns);
  void clear_deadline(Record& record);

  /// Replaces one of a record's blobs (&Record::state, &Record::attachment). False: no room.
  bool set_blob(Record& record, std::uint32_t Record::*blob, std::span<const std::byte> bytes);
  std::span<const std::byte> blob(const Record& record, std::uint32_t Record::*which);

  // ---- Rooms

  std::uint32_t add_group(Group& group);
  void remove_group(std::uint32_t room);
  /// Makes a connection that still speaks HTTP a member, so that the agent can be asked about it.
  void join(std::uint32_t room, std::uint32_t slot, detail::Host* host);
  /// http → open: from here on it is listed and gets broadcasts.
  void accept(Record& record);
  /// Takes a member out. Its place goes to the last one, whose former index is returned.
  std::uint32_t leave(Record& record);

  // ---- Sending (send.cc)

  /// Queues a frame of a WebSocket. At the limit it tries to send first what there is.
  Sent send(std::uint32_t slot,
            codec::ws::Opcode opcode,
            std::span<const std::byte> payload,
            WhenFull when_full = WhenFull::refuse);
  /// The same for a payload that others get too, and the frame that goes with it.
  Sent send_shared(std::uint32_t slot,
                   codec::ws::Opcode opcode,
                   std::span<const std::byte> payload,
                   SharedFrame& frame);
  /// Queues bytes as they are, without a limit: HTTP, and the answer to an upgrade.
  void send_raw(std::uint32_t slot, std::span<const std::byte> bytes);
  /// Forgets what was queued this turn.
  void discard_unsent(Record& record);
  /// Bytes queued and not taken by the kernel.
  std::size_t buffered_bytes(const Record& record);

  /// From here on a message that is sent on leaves from the receive buffer: less than a copy costs.
  static constexpr std::size_t send_on_bytes_min = 2048;

  /// Whose bytes are being looked at. A message that may be sent on from its receive buffer, or
  /// moved there, is `in_place`.
  struct Delivery {
    std::uint32_t slot = none;
    std::uint16_t buffer = 0;
    bool held = false;  // the buffer, for the message
    std::span<std::byte> in_place{};
  };
  Delivery delivery;

  // ---- Broadcasting (broadcast.cc)

  /// Whether members don't take what the room sends as fast as it comes.
  bool has_slow(const Group& group) const {
    return group.broadcasts != none && !broadcasts_[group.broadcasts].slow.empty();
  }

  /// Queues one frame for all open members but those in `without` (indices of members). Those whose
  /// outbox is full are handed to `on_full`.
  template <typename OnFull>
  void broadcast(std::uint32_t room,
                 codec::ws::Opcode opcode,
                 std::span<const std::byte> payload,
                 std::span<const std::uint32_t> without,
                 WhenFull when_full,
                 OnFull on_full) {
    append_to_log(room, opcode, payload, without);
    Group& group = *groups_[room];
    if (!has_slow(group)) [[likely]]
      return;
    serve_slow(group, without, when_full, payload.size());
    for (const std::uint32_t slot : std::exchange(refused_, {})) on_full(slot);
  }

  // ---- The output gate (gate.cc)

  /// Nothing that the room's agent says from now on, or has said since the last flush, leaves
  /// before `batch` of the store is durable.
  void close_gate(std::uint32_t room, std::uint64_t batch) { groups_[room]->gate = batch; }
  /// There was nothing to wait for: its gate is as it was `before`, also for what was held since.
  void reopen_gate(std::uint32_t room, std::uint64_t before);
  bool is_gated(const Group& group) const { return group.gate > durable_; }
  /// Batches up to this are durable: sends what waited for them, in this turn and those that
  /// follow. Right before flush().
  void open_gates(std::uint64_t durable);
  /// The batches from this one on are lost: what the room wanted to say since is never sent, and
  /// those to whom it would have been said are closed with 1011.
  void lose(std::uint32_t room, std::uint64_t batch);

  // ---- The end of a connection (close.cc)

  /// Starts the close handshake: open → closing, our close frame behind what is queued. The peer's
  /// answer or the deadline follows.
  void send_close(std::uint32_t slot, std::optional<std::uint16_t> code, std::string_view reason);
  /// open → closing without a frame: the peer was first. Nothing more is queued for it.
  void mark_closing(std::uint32_t slot);
  /// Queues a close frame in the stage closing.
  void queue_close_frame(std::uint32_t slot,
                         std::optional<std::uint16_t> code,
                         std::string_view reason);
  /// Everything is said: closes when the outbox is empty. With `linger`, shuts our direction first
  /// and waits for the peer to close, so that it can read our last words.
  void finish(std::uint32_t slot, bool linger);
  /// Closes the descriptor now, or as soon as our direction is shut, and forgets what was queued.
  void close_file(std::uint32_t slot);
  /// Our direction is shut: who is to be closed is closed now.
  void on_shut_down(const reactor::Completion& completion);
  /// The descriptor is free again.
  void on_file_closed(const reactor::Completion& completion);

  // ---- The turn (settle.cc)

  /// One send for each connection that has bytes.
  void flush();
  /// After the reap that follows the submit: what wasn't taken is copied, the rest forgotten.
  void settle(std::size_t first_completion);
  void on_rest_sent(const reactor::Completion& completion);
  /// Sends what is queued at once.
  void flush_now();

  /// Connections whose outbox was full and has emptied, since the last call.
  std::vector<SlotRef> take_drained() { return std::exchange(drained_, {}); }
  /// Connections on which a send failed, since the last call.
  std::vector<SlotRef> take_failed() { return std::exchange(failed_, {}); }

  /// Whether the next turn has something to do that no completion announces.
  bool has_work() const {
    return finish_is_fresh_ || !drained_.empty() || !failed_.empty() || !releasing_.empty();
  }

  /// Whether frames of the turn lie in receive buffers.
  bool holds_buffers() const { return !held_buffers_.empty(); }

  /// For strings that an agent gets and that nobody keeps; emptied between turns.
  base::Arena& scratch() { return scratch_; }
  const HubCounts& counts() const { return counts_; }
  /// Nothing queued and nothing in flight, for tests and the end of a shard.
  bool at_rest() const;

 private:
  friend class HubProbe;  // tests look inside

  void release_active(Record& record);
  void mark_dirty(std::uint32_t slot, Record& record) {
    if (record.has(flag::dirty)) return;
    record.set(flag::dirty);
    dirty_.push_back({slot, record.generation});
  }
  bool is_in_step(const Record& record, const Active& active) const;
  Sent send_with_care(std::uint32_t slot,
                      codec::ws::Opcode opcode,
                      std::span<const std::byte> payload,
                      WhenFull when_full);
  struct FrameKind {
    codec::ws::Opcode opcode;
    bool compressed;
  };
  void send_frame(std::uint32_t slot,
                  Record& record,
                  Active& active,
                  FrameKind kind,
                  std::span<const std::byte> payload);
  void queue_frame(std::uint32_t slot,
                   Record& record,
                   Active& active,
                   FrameKind kind,
                   std::span<const std::byte> payload);
  bool send_on(std::uint32_t slot,
               Record& record,
               Active& active,
               codec::ws::Opcode opcode,
               std::span<const std::byte> payload);
  bool has_room(std::uint32_t slot, Record& record, std::size_t bytes, WhenFull when_full);
  void catch_up(Record& record, Active& active);
  std::uint32_t log_start(Connection& member) const;
  void append_to_log(std::uint32_t room,
                     codec::ws::Opcode opcode,
                     std::span<const std::byte> payload,
                     std::span<const std::uint32_t> without);
  Broadcasts& broadcasts(Group& group) {
    if (group.broadcasts == none) group.broadcasts = broadcasts_.take();
    return broadcasts_[group.broadcasts];
  }
  std::uint32_t log_bytes(const Group& group) const {
    return group.broadcasts == none ? 0 : broadcasts_[group.broadcasts].log_bytes;
  }
  void end_log(Group& group);
  void release_broadcasts_if_quiet(Group& group);
  std::byte* grow_log(Broadcasts& broadcasts, std::size_t bytes);
  void serve_slow(Group& group,
                  std::span<const std::uint32_t> without,
                  WhenFull when_full,
                  std::size_t payload_bytes);
  void flush_group(std::uint32_t room);
  std::byte* grow_backlog(std::uint32_t slot,
                          const Record& record,
                          Backlog& backlog,
                          std::size_t bytes);
  void hold(std::uint32_t slot, Record& record, Active& active);
  bool release_held(SlotRef ref);
  bool forget_held(Backlog& backlog, std::uint64_t batch);
  void send_segments(SlotRef ref, const Record& record, Active& active);
  void flush_connection(SlotRef ref);
  void keep_unsent(const reactor::Completion& completion);
  void send_backlog(std::uint32_t slot, Record& record, Active& active);
  void note_slow(const Record& record, std::uint32_t slot);
  void forget_slow(const Record& record, std::uint32_t slot);
  void settle_finishing();
  void on_backlog_sent(std::uint32_t slot, Record& record, Active& active);

  reactor::Ring& ring_;
  std::vector<reactor::Completion>& completions_;
  base::TimerHeap& timers_;
  HubOptions options_;

  Slab slab_;
  BlobStore blobs_;
  HostNames host_names_;
  base::Recycler<Active> actives_;
  base::Recycler<Broadcasts> broadcasts_;
  std::vector<Group*> groups_;
  std::vector<std::uint32_t> free_groups_;

  base::Arena arena_;  // frames of the turn
  base::Arena scratch_;
  std::uint32_t turn_ = 1;
  std::uint32_t joined_ = 0;                 // members of all rooms so far
  std::vector<SlotRef> dirty_;               // connections with frames of this turn
  std::vector<std::uint32_t> dirty_groups_;  // rooms with a log of this turn
  std::vector<SlotRef> flushed_;             // given to the kernel, not settled
  std::vector<std::uint32_t> flushed_groups_;
  std::vector<std::uint16_t> held_buffers_;  // receive buffers that frames of the turn lie in
  struct Held {
    SlotRef ref;
    std::uint32_t room;
  };
  std::vector<Held> held_;       // connections with frames behind their room's gate
  std::vector<Held> releasing_;  // whose gate is open, and that haven't got their turn yet
  std::uint64_t durable_ = 0;
  std::vector<SlotRef> finishing_;
  bool finish_is_fresh_ = false;  // not settled since finish(): a send taken whole says nothing
  std::vector<SlotRef> drained_;
  std::vector<SlotRef> failed_;
  std::vector<std::uint32_t> refused_;
  std::vector<iovec> pieces_;

  // Backlogs of connections that are gone, while the kernel still reads them.
  struct Orphan {
    SlotRef was;
    std::vector<std::byte> rest;
  };
  std::vector<Orphan> orphans_;

  codec::ws::Deflater deflater_;
  std::vector<std::byte> deflated_;
  HubCounts counts_;
};

}  // namespace ringroom::connection
