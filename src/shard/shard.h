// Shard: one thread, its ring, and everything that lives on it: connections, rooms, timers. Made
// and run by its thread; nothing of it is touched by another one but through its Lane. Bounded by
// its ring's table; a turn takes turn_budget and one callback at the most.
#pragma once

#include "agent/runtime.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/timer_heap.h"
#include "codec/ws/deflate.h"
#include "connection/hub.h"
#include "reactor/ring.h"
#include "shard/config.h"
#include "shard/fleet.h"
#include "shard/http_session.h"
#include "shard/lane.h"
#include "shard/recording.h"
#include "shard/router.h"
#include "store/store.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ringroom::shard {

class Shard final : public agent_runtime::ShardServices {
 public:
  /// On the shard's thread. Null, with the reason and advice in `failure`, if there is no ring.
  static std::unique_ptr<Shard> make(Fleet& fleet,
                                     unsigned index,
                                     base::Random random,
                                     std::string& failure);
  /// For make().
  Shard(Fleet& fleet, unsigned index, std::unique_ptr<reactor::Ring> ring, base::Random random);
  ~Shard() override;

  /// Serves until the fleet stops.
  void run();
  /// One turn. False once the shard has stopped.
  bool turn();

  unsigned index() const { return index_; }
  Fleet& fleet() { return fleet_; }
  agent_runtime::Runtime& runtime() { return runtime_; }
  connection::Hub& hub() { return hub_; }
  reactor::Ring& ring() { return *ring_; }
  std::vector<RoomInfo> room_infos() const;

  /// Sends a letter to a shard, this one too (it is opened at once then).
  void post(unsigned shard, std::unique_ptr<Letter> letter);

  // ---- Called by letters

  /// A socket that another shard accepted and that is in our table now.
  void take_arrival(std::uint32_t file, std::unique_ptr<Arrival> arrival);
  /// The answer to a request that we sent to a room's home.
  void answered(std::uint64_t ticket, Response response);
  /// The rooms of one shard, for collect_rooms().
  void rooms_counted(std::uint64_t ticket, std::vector<RoomInfo> rooms);

  /// What one shard's agents are awake for, for collect_awake().
  void awake_counted(std::uint64_t ticket, const agent_runtime::AwakeCounts& counts);

  /// Asks a room, here or at its home.
  Deferred<Response> ask_room(const detail::AgentClassInfo& info,
                              std::string_view room,
                              const Request& request);

  /// Gathers the rooms of all shards.
  Deferred<std::vector<RoomInfo>> collect_rooms();
  /// Why agents are awake, of all shards together.
  Deferred<agent_runtime::AwakeCounts> collect_awake();

  // ---- Queries from outside (queries.cc)

  /// Reads a room's database. As JSON: `{"columns", "rows"}`, or with another status `{"error"}`.
  Deferred<Response> query_room(RoomQuery query);
  void take_query(unsigned from, std::uint64_t ticket, const RoomQuery& query);

  // ---- Recordings of rooms (recording.cc)

  /// Records what the members of a room send, for so long or until there is no room for more; the
  /// answer is the recording. One at a time in each shard.
  Deferred<Response> record(const detail::AgentClassInfo& info,
                            std::string room,
                            std::size_t bytes_max,
                            std::chrono::milliseconds length);
  /// Ends a room's recording early, if there is one.
  void stop_recording(const detail::AgentClassInfo& info, const std::string& room);
  void start_recording(RecordingOrder order);
  void end_recording_of(std::string_view class_name, std::string_view room);

  /// A class of agents by its name or its URL segment; null if there is none.
  const detail::AgentClassInfo* find_class(std::string_view name) const {
    return router_.find_class(name);
  }

  // ---- Agents that ask agents (questions.cc)

  std::optional<std::string> ask(const agent_runtime::Asker& asker,
                                 agent_runtime::Question question) override;
  void take_question(unsigned from,
                     const agent_runtime::Asker& asker,
                     const detail::AgentClassInfo& info,
                     agent_runtime::Question question);
  void take_answer(const agent_runtime::Asker& asker, agent_runtime::Answer answer);

  void resume(std::uint32_t slot, std::uint32_t generation) override;
  void fell_asleep(std::uint32_t room) override;
  std::uint64_t clock_ns() const override { return ring_->now_ns(); }
  void tick_late_by(std::uint64_t nanoseconds) override;
  void job_late_by(std::uint64_t nanoseconds) override;
  const detail::AgentClassInfo* find_class(std::string_view name) override;
  std::string peer_address(std::uint32_t slot) override;

 private:
  friend class ShardProbe;  // tests look inside
  using Completion = reactor::Completion;
  // Slots of Op::event.
  static constexpr std::uint32_t stop_event = 0;
  static constexpr std::uint32_t helper_event = 1;

  // shard.cc: the turn
  void wait();
  std::uint64_t patience_ns();
  void dispatch_all();
  void dispatch(const Completion& completion);
  void open_letters();
  void push_outgoing();
  void expire_timers();
  void fire(base::Timer& timer);
  void on_deadline(std::uint32_t slot, connection::Deadline about);
  void on_trouble();
  void publish(std::uint64_t turn_began_ns);
  void publish_storage();
  bool over_budget();

  // What was read, and may not be told yet.
  struct ReadRoom {
    std::uint64_t batch;
    unsigned from;
    std::uint64_t ticket;
    Response response;
  };
  void tell_readings(std::optional<std::uint64_t> lost);

  // storage.cc
  void commit_writes();
  void commit_turn();
  void on_log_write(const Completion& completion);
  void on_file_open(const Completion& completion);
  void await_helper();

  // stop.cc
  void start_stopping();
  bool is_stopped();

  // arrival.cc: sockets
  void on_accept(const Completion& completion);
  void arm_accepts();
  void mind_the_table();
  void on_close(const Completion& completion);
  void hand_over(std::uint32_t slot, unsigned home, std::unique_ptr<Arrival> arrival);
  void on_moved(const Completion& completion);
  void admit(std::uint32_t slot, std::unique_ptr<Arrival> arrival);
  void let_in(std::uint32_t slot, detail::Host& host, Arrival& arrival);
  bool reserve_file(unsigned shard);
  void release_file();

  // http.cc: requests
  void on_receive_once(const Completion& completion);
  void read_requests(std::uint32_t slot, std::span<const std::byte> input);
  bool on_head(std::uint32_t slot, HttpSession& session, std::span<const std::byte> behind);
  void on_request(std::uint32_t slot, HttpSession& session);
  Deferred<Response> route_request(HttpSession& session, const Request& request);
  Deferred<Response> ask_destination(HttpSession& session, Destination to, const Request& request);
  void answer(std::uint32_t slot, std::uint32_t generation, Response response);
  void respond(std::uint32_t slot, HttpSession& session, Response response);
  void refuse(std::uint32_t slot, const Response& response);
  void end_session(std::uint32_t slot);
  void wait_for_request(std::uint32_t slot);
  HttpSession* session_of(const connection::Record& record);
  std::string_view http_date();

  // upgrade.cc: requests for a WebSocket
  void upgrade(std::uint32_t slot, HttpSession& session, std::span<const std::byte> behind);
  void refuse_upgrade(std::uint32_t slot, const Response& response);
  void close_after_accept(std::uint32_t slot,
                          const codec::http::AcceptKey& accept_key,
                          const CloseAfterAccept& close);
  void send_home(std::uint32_t slot, std::unique_ptr<Arrival> arrival);

  // receive.cc: frames. `buffer` is the provided buffer that holds them, or none.
  static constexpr std::uint32_t no_buffer = UINT32_MAX;
  void on_receive(const Completion& completion);
  void receive_frames(std::uint32_t slot,
                      connection::Record& record,
                      std::span<std::byte> input,
                      std::uint32_t buffer);
  bool on_control(std::uint32_t slot, connection::Record& record, const codec::ws::Event& event);
  void deliver(std::uint32_t slot,
               connection::Record& record,
               const codec::ws::Event& event,
               std::uint32_t buffer);
  void deliver_compressed(std::uint32_t slot,
                          connection::Record& record,
                          std::span<const std::byte> payload,
                          bool is_text);
  void take_frames(std::uint32_t slot, connection::Record& record, const Completion& completion);
  void answer_ping(std::uint32_t slot, std::span<const std::byte> payload);
  void stash(connection::Record& record, std::span<const std::byte> input);
  bool wants_bytes(const connection::Record& record);
  void stop_reading(std::uint32_t slot, connection::Record& record);
  void resume_unfinished();
  void arm(std::uint32_t slot, connection::Record& record);
  void rearm_starved();
  void peer_finished(std::uint32_t slot, connection::Record& record);
  void connection_ended(std::uint32_t slot, connection::Record& record);
  void ping_the_silent();

  // recording.cc
  void record_message(std::uint32_t slot,
                      const connection::Record& record,
                      std::span<const std::byte> message,
                      bool is_text);
  void end_recording(std::string_view why);

  // parking.cc
  bool is_asleep(const connection::Record& record);
  bool is_between_messages(const connection::Record& record);
  void put_to_bed();
  void on_poll(const Completion& completion);
  void tidy();
  void tidy_later();

  Fleet& fleet_;
  const Config& config_;
  unsigned index_;
  Lane& lane_;
  std::unique_ptr<reactor::Ring> ring_;
  base::TimerHeap timers_;
  std::vector<Completion> completions_;
  connection::Hub hub_;
  store::Store store_;
  agent_runtime::RuntimeOptions runtime_options_;
  agent_runtime::Runtime runtime_;
  Router router_;
  base::Pool<HttpSession> sessions_;
  codec::ws::Inflater inflater_;
  std::vector<std::byte> inflated_;
  std::unique_ptr<Recording> recording_;
  base::Timer recording_timer_;

  std::size_t next_completion_ = 0;  // of completions_, to be dispatched
  std::uint64_t turn_began_ns_ = 0;
  std::uint64_t events_of_turn_ = 0;
  bool was_busy_ = false;
  std::uint64_t gather_ns_ = 0;    // what the last wait might have waited for more
  std::uint64_t until_clock_ = 0;  // messages until the budget is looked at
  std::uint64_t messages_per_clock_ = 1;
  std::uint64_t spent_ns_ = 0;   // of the budget, when it was looked at
  std::uint64_t commit_ns_ = 0;  // what a room's commit took lately
  bool budget_spent_ = false;
  std::int64_t wall_offset_ms_ = 0;
  std::uint64_t wall_offset_until_ns_ = 0;

  std::vector<connection::SlotRef> unfinished_;  // have received bytes for the next turn
  std::vector<connection::SlotRef> starved_;     // wait for a receive buffer
  // Rooms that fell asleep, and how many of their first members aren't parked yet.
  struct Bedtime {
    std::uint32_t room;
    std::size_t members_left;
  };
  std::vector<Bedtime> going_to_bed_;
  bool refilled_ = false;                                   // there are some again
  std::vector<std::pair<std::uint32_t, Arrival*>> moving_;  // sockets on their way to a home
  std::unordered_map<std::uint64_t, std::unique_ptr<Arrival>> at_the_door_;  // of a room, by number
  std::uint64_t next_at_the_door_ = 0;
  std::vector<std::vector<std::unique_ptr<Letter>>> outgoing_;  // by shard, not pushed yet
  // What waits for a letter, by ticket.
  template <typename Whole>
  struct Tally {
    Whole whole{};
    unsigned shards_missing = 0;
    Deferred<Whole> answer;
  };
  template <typename Whole>
  using Tallies = std::unordered_map<std::uint64_t, Tally<Whole>>;
  template <typename Question, typename Whole>
  Deferred<Whole> ask_all(Tallies<Whole>& asked);
  template <typename Whole, typename Add>
  void add_answer(Tallies<Whole>& asked, std::uint64_t ticket, Add add);
  std::uint64_t next_ticket_ = 1;
  std::size_t questions_open_ = 0;  // of our agents, unanswered
  std::unordered_map<std::uint64_t, Deferred<Response>> asked_;
  Tallies<std::vector<RoomInfo>> rooms_asked_;
  Tallies<agent_runtime::AwakeCounts> awake_asked_;
  std::uint64_t stop_counter_ = 0;
  std::vector<ReadRoom> readings_;
  std::uint64_t helper_counter_ = 0;
  std::size_t log_write_bytes_ = 0;
  std::uint64_t batch_began_ns_ = 0;  // the turn of its first commit; 0: it has none
  std::uint64_t write_began_ns_ = 0;  // the same of the batch that is being written
  bool accepts_paused_ = false;
  bool accepts_singly_ = false;
  bool accepting_[2] = {false, false};
  bool stopping_ = false;
  bool cut_off_ = false;  // who didn't close in time
  std::uint64_t stop_deadline_ns_ = 0;
  base::Timer ping_timer_;
  base::Timer tidy_timer_;
  bool tidy_again_ = false;  // something fell asleep since it was set
  unsigned pings_in_row_ = 0;
  std::vector<std::byte> last_ping_;  // of more pings than are answered one by one
  std::string date_;
  std::uint64_t date_until_ns_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t handovers_ = 0;
  std::uint64_t connections_total_ = 0;
};

}  // namespace ringroom::shard
