// Runtime: the rooms of one shard. Finds or makes the host of a (class, name), keeps the turn's
// time, and is what a host reaches the shard's services by. Made by the shard, on its thread. Rooms
// are bounded by what connects: a room nobody is in goes after hibernate_after.
#pragma once

#include "agent/alarms.h"
#include "agent/gathering.h"
#include "agent/host.h"
#include "agent/rooms.h"
#include "agent/watch.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/timer_heap.h"
#include "codec/agents/client_frame.h"
#include "codec/envelope/envelope.h"
#include "connection/hub.h"
#include "ringroom/agent_class.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ringroom::agent_runtime {

/// What the server was told about all agents. Constant while a shard runs.
struct RuntimeOptions {
  const std::map<std::string, std::string>& env;
  const std::map<std::string, json>& props;
  std::optional<std::chrono::nanoseconds> hibernate_after;
  std::size_t room_connections_max = 0;
  std::string alarm_index;  ///< the name of the shard's database of alarms
};

/// What an agent's close() in on_close says instead of the echo.
struct ClosingReply {
  std::uint32_t slot;
  std::optional<std::uint16_t> code;
  std::string reason;
};

/// What one callback of a room needs while it runs; one for all rooms, whose callbacks come one
/// after the other.
struct CallScratch {
  std::string setup_failure;     // what made the last callback fail
  bool error_passed_on = false;  // on_error was the default, so the client may know
  std::optional<ClosingReply> closing_reply;
  std::uint32_t closed_slot = connection::none;  // in on_close, both close frames exchanged
  std::vector<std::uint32_t> excluded;           // member indices of the broadcast at hand
  const CallChain* chain = nullptr;              // the rooms that wait for what the callback does
};

/// What the shard publishes about its agents.
struct RuntimeCounts {
  std::uint64_t agents_awake = 0;
  std::uint64_t agents_created = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t outbox_dropped = 0;
  std::uint64_t outbox_closed = 0;
  std::uint64_t callbacks_failed = 0;
};

/// What rooms need of their shard beside its connections. Implemented by the shard.
class ShardServices {
 public:
  virtual ~ShardServices() = default;
  /// The room's agent is gone; its members may park.
  virtual void fell_asleep(std::uint32_t room) = 0;
  /// Goes on with a connection whose bytes were held back (flag::paused), if it is still there.
  virtual void resume(std::uint32_t slot, std::uint32_t generation) = 0;
  /// CLOCK_MONOTONIC now, not as the turn began.
  virtual std::uint64_t clock_ns() const = 0;
  /// For the histogram.
  virtual void tick_late_by(std::uint64_t nanoseconds) = 0;
  virtual void job_late_by(std::uint64_t nanoseconds) = 0;
  /// A class that is served, by its name; null: there is none.
  virtual const detail::AgentClassInfo* find_class(std::string_view name) = 0;
  /// Sends a question to its room, here or on another shard; the answer comes to Host::answered of
  /// the asker. Returns why it can't, and then nothing comes.
  virtual std::optional<std::string> ask(const Asker& asker, Question question) = 0;
  /// "127.0.0.1:4711" of a connection's client; empty if the kernel can't tell.
  virtual std::string peer_address(std::uint32_t slot) = 0;
};

class Runtime {
 public:
  Runtime(const RuntimeOptions& options,
          connection::Hub& hub,
          store::Store& store,
          base::TimerHeap& timers,
          Watch& watch,
          ShardServices& shard,
          base::Random random);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// The room if it exists here, or null.
  detail::Host* find(const detail::AgentClassInfo& info, std::string_view name);
  detail::Host& find_or_make(const detail::AgentClassInfo& info, std::string_view name);
  bool exists(std::uint32_t room) const { return rooms_.exists(room); }
  /// By the index that records carry.
  detail::Host& host(std::uint32_t room) { return rooms_[room]; }
  void remove(detail::Host& host);
  std::uint64_t next_question() { return next_question_++; }

  /// A timer of a room is due.
  void fire(base::Timer& timer);
  /// Destroys all agents; their connections are gone already.
  void stop();

  /// Sets the time that callbacks see, and since when what they are told of may have waited.
  void set_now(std::uint64_t monotonic_ns, std::uint64_t since_ns, std::int64_t wall_ms) {
    now_ns_ = monotonic_ns;
    since_ns_ = since_ns;
    wall_ms_ = wall_ms;
  }
  std::uint64_t now_ns() const { return now_ns_; }
  std::uint64_t since_ns() const { return since_ns_; }
  std::int64_t wall_ms() const { return wall_ms_; }

  const RuntimeOptions& options() const { return options_; }
  connection::Hub& hub() { return hub_; }
  store::Store& store() { return store_; }
  base::TimerHeap& timers() { return timers_; }
  Watch& watch() { return watch_; }
  ShardServices& shard() { return shard_; }
  Alarms& alarms() { return alarms_; }
  Gathering& gathering() { return gathering_; }
  base::Random& random() { return random_; }
  RuntimeCounts& counts() { return counts_; }
  CallScratch& scratch() { return scratch_; }
  codec::agents::ClientFrameReader& frame_reader() { return frame_reader_; }
  codec::envelope::JsonReader& json_reader() { return json_reader_; }
  std::size_t rooms() const { return rooms_.size(); }
  base::Pool<detail::Host::Awake>& awake_pool() { return awake_pool_; }
  /// A room's agent was made, or is gone.
  void note_awake(detail::Host& host);
  void note_asleep(detail::Host& host);
  /// Gives the memory of rooms back that aren't awake any more.
  void trim() { awake_.shrink_to_fit(); }

  // ---- Files that are being opened

  /// To be called when the database's file is open, behind what waits for it already.
  void when_opened(std::string database, std::function<void()> event);
  void file_opened(const std::string& database);

  // ---- The end of a turn

  bool has_turn() const { return store_.has_turn() || alarms_.has_settled(); }
  /// Commits what agents wrote, and tells those whose writes are lost.
  void commit_turn();
  /// Everything up to the store's durable batch may leave, in this turn and those that follow, and
  /// nothing from the `lost` one on does.
  void open_gates(std::optional<std::uint64_t> lost);
  /// Whether the next turn's open_gates() has something to do that no completion announces.
  bool has_work() const { return has_work_; }
  /// A room has something behind its gate that isn't a frame.
  void note_held_back(std::uint32_t room) { holding_back_.push_back(room); }
  /// A room has no agent any more, and what it wrote isn't durable yet.
  void note_ended(std::uint32_t room) { ended_.push_back(room); }

  /// Why rooms are awake; a walk over those that are.
  AwakeCounts awake_counts() const;

  template <typename Visit>
  void for_each_room(Visit visit) const {
    rooms_.for_each(visit);
  }

 private:
  const RuntimeOptions& options_;
  connection::Hub& hub_;
  store::Store& store_;
  base::TimerHeap& timers_;
  Watch& watch_;
  ShardServices& shard_;
  base::Random random_;
  base::Pool<detail::Host::Awake> awake_pool_;
  Rooms rooms_;
  std::vector<detail::Host*> awake_;
  Alarms alarms_;
  Gathering gathering_;
  std::uint64_t next_question_ = 1;
  std::uint64_t now_ns_ = 0;
  std::uint64_t since_ns_ = 0;
  std::int64_t wall_ms_ = 0;
  std::vector<std::uint32_t> holding_back_;  // rooms with more than frames behind their gate
  bool has_work_ = false;                    // some of them have an open gate
  std::vector<std::uint32_t> ended_;         // without an agent, behind their gate
  std::unordered_map<std::string, std::vector<std::function<void()>>> waiting_;  // by database
  RuntimeCounts counts_;
  CallScratch scratch_;
  codec::agents::ClientFrameReader frame_reader_;
  codec::envelope::JsonReader json_reader_;
};

}  // namespace ringroom::agent_runtime
