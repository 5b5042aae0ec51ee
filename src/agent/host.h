// Host: one room. Owns the agent while it is awake and the members always, wakes and destroys the
// agent, calls its callbacks one at a time, and keeps what they throw from everybody else. Owned by
// the Runtime, on the room's home shard. Bounded by room_connections_max members.
#pragma once

#include "agent/awake.h"
#include "agent/job.h"
#include "agent/local_values.h"
#include "agent/question.h"
#include "agent/queues.h"
#include "base/timer_heap.h"
#include "connection/group.h"
#include "connection/hub.h"
#include "ringroom/agent.h"
#include "ringroom/agent_class.h"
#include "store/store.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringroom::codec::agents {
struct Call;
}

namespace ringroom::agent_runtime {

class Runtime;

/// Kinds of base::Timer that belong to rooms; a connection's are below.
enum class RoomTimer : std::uint8_t { idle = 16, tick, task, alarm, flush };

constexpr bool is_room_timer(const base::Timer& timer) {
  return timer.kind >= static_cast<std::uint8_t>(RoomTimer::idle);
}

/// How answers that come later find their room again: null when its agent has gone. They are
/// counted here, so that those that an agent still owed when it went keep no other one awake.
struct HostLink {
  detail::Host* host;
  std::uint32_t requests_open = 0;
};

/// An upgrade that the codec has accepted, to be answered by the room. Borrowed for the call.
struct Upgrade {
  std::uint32_t slot;
  const Request& request;
  std::string_view switching_protocols;  ///< the 101, ready to send
  bool deflate = false;
  std::uint8_t window_bits = 15;
  BatchFormat batch_format = BatchFormat::none;
};

}  // namespace ringroom::agent_runtime

namespace ringroom::detail {

/// One streaming call; shared by the copies of its Stream.
struct StreamState {
  std::shared_ptr<agent_runtime::HostLink> link;
  ConnectionRef to;
  std::string id;
  bool open = true;

  StreamState(std::shared_ptr<agent_runtime::HostLink> host, ConnectionRef caller, std::string call)
      : link(std::move(host)), to(caller), id(std::move(call)) {}
  StreamState(const StreamState&) = delete;
  StreamState& operator=(const StreamState&) = delete;
  ~StreamState();
};

class Host {
 public:
  Host(agent_runtime::Runtime& runtime, const AgentClassInfo& info, std::string_view name);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const AgentClassInfo& info() const { return info_; }
  std::string_view name() const { return {name_.get(), name_bytes_}; }
  agent_runtime::Runtime& runtime() const { return runtime_; }
  connection::Hub& hub() const;
  connection::Group& group() { return group_; }
  const connection::Group& group() const { return group_; }
  std::uint32_t room() const { return room_; }
  bool is_awake() const { return agent() != nullptr; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  /// What keeps the agent in memory now: "message", "tick", "timer", "request", "outbox", …
  std::vector<std::string> why_awake() const;
  agent_runtime::AwakeReasons awake_reasons() const;
  /// The place in the runtime's list of awake rooms. Only of one that is.
  std::uint32_t& awake_index() { return awake_->index; }
  /// For Rooms.
  std::uint32_t& next_in_bucket() { return next_in_bucket_; }

  // ---- The room's file (waiting.cc)

  /// Whether the agent sleeps and its file has yet to be opened, which may wait for the disk. Each
  /// event that might wake the agent is put off then.
  bool must_wait() { return agent() == nullptr && is_file_missing(); }
  /// Called when the file is open, with the room as it is then, in the order of the events.
  void when_ready(std::function<void(Host&)> event);

  // ---- Events, from the shard. Each wakes the agent if it sleeps. (deliver.cc)

  /// Makes a member of the connection and runs on_connect. Answers the upgrade, also when a hook
  /// fails: then with 101, an error frame and 1011.
  void connect(const agent_runtime::Upgrade& upgrade);
  void deliver(std::uint32_t member, Message message);
  /// The same from a connection with envelopes. One that is malformed fails the connection.
  void deliver_batched(connection::Record& record, std::span<std::byte> payload, bool is_text);
  /// The peer's close frame arrived, or its answer to ours. Answers, and takes the member out.
  void closed_by_peer(connection::Record& record, std::uint16_t code, std::string_view reason);
  /// The connection ended without a close frame.
  void lost(connection::Record& record);
  /// The peer broke the protocol: our close frame with `code`, and the member is out.
  void failed(connection::Record& record, std::uint16_t code, std::string_view reason);
  void drained(connection::Record& record);
  /// For a client: what the agent throws is a 500.
  Deferred<Response> request(const Request& request);
  /// Closes every connection; the server stops.
  void close_all(std::uint16_t code, std::string_view reason);

  // ---- Timers (timers.cc)

  void fire(base::Timer& timer);
  TimerId add_task(std::uint64_t delay_ns, std::uint64_t period_ns, std::function<void()> task);
  void cancel_task(TimerId id);
  /// Ticks a second from now on, until the agent sleeps.
  void set_tick_rate(double hz);

  // ---- What outlives the agent (settings.cc)

  void set_auto_response(std::optional<AutoResponse> pair);
  const AutoResponse* auto_response() const;
  void set_event_timeout(std::chrono::milliseconds timeout);
  std::chrono::milliseconds event_timeout() const;
  KeepAlive keep_alive();

  // ---- What is to be done later (schedules.cc, jobs.cc)

  void set_alarm(std::optional<std::int64_t> at_ms);
  std::optional<std::int64_t> alarm();
  /// `wanted` has the task, its payload, the type and what that needs.
  Schedule schedule(Schedule wanted, const ScheduleOptions& options);
  Schedule schedule_every(Schedule wanted, const ScheduleOptions& options);
  std::vector<Schedule> schedules(const ScheduleFilter& filter);
  std::optional<Schedule> get_schedule(std::string_view id);
  bool cancel_schedule(std::string_view id);
  void run_due_jobs();

  // ---- The Agents protocol (protocol.cc, state.cc, calls.cc)

  bool has_state();
  /// Null if there is none.
  const json& state();
  /// As its clients get it. Only if there is one.
  const std::string& state_text() { return awake_->state_text; }
  void set_state(json next);
  void set_readonly(Connection& connection, bool readonly);
  bool is_readonly(const Connection& connection) const;
  bool is_protocol_enabled(const Connection& connection) const;
  Connection* caller();
  /// Runs a callable for somebody who isn't a connection, waking the agent. A discarded result: the
  /// callable has none.
  Deferred<json> call(std::string_view method, std::vector<json> args);
  /// For what answers later.
  std::shared_ptr<agent_runtime::HostLink> link();
  void stream_chunk(StreamState& stream, const json& chunk);
  void end_stream(StreamState& stream, const std::string& last_frame);

  // ---- Other agents (stub.cc)

  /// T is Response or json, as the question wants it.
  template <typename T>
  Deferred<T> ask(agent_runtime::Question question);
  /// The answer to a question, unless the agent that asked is gone.
  void answered(std::uint64_t id, agent_runtime::Answer answer);
  /// Answers another agent's question.
  Deferred<agent_runtime::Answer> serve(agent_runtime::Question question);

  // ---- Storage (storage.cc)

  /// The agent's queries, and those that we make for it.
  SqlRows sql(std::string_view query, std::span<const SqlValue> values);
  SqlRows own_sql(std::string_view query, std::span<const SqlValue> values);
  void begin_transaction();
  void end_transaction(bool undo);
  /// Ends the room with the turn.
  void destroy();
  /// Whether what the agent says now has to wait for a write of its own.
  bool is_gated() const;
  /// What became of the turn's writes.
  void committed(store::Committed result);
  /// The batches from this one on are lost: what was said since is never sent, and the agent is
  /// gone.
  void lose_writes(std::uint64_t batch);
  /// Gives what isn't a frame and may leave now, so many at most, which it counts down. True if
  /// nothing is held back any more.
  bool release_held_back(std::size_t& left);

  // ---- For the agent's own calls (api.cc, members.cc)

  /// The room's member of a ref, or null.
  Connection* resolve(ConnectionRef ref);
  std::size_t member_index(const Connection& connection) const {
    return static_cast<std::size_t>(static_cast<const connection::Member*>(&connection) -
                                    group_.members.data());
  }
  void* local_value(const LocalType& type, const Connection& connection);
  SendResult send(Connection& to, codec::ws::Opcode opcode, std::span<const std::byte> payload);
  void broadcast(codec::ws::Opcode opcode,
                 std::span<const std::byte> payload,
                 const BroadcastOptions& options);
  void close(Connection& connection, std::optional<std::uint16_t> code, std::string_view reason);

  // ---- Envelopes (batches.cc)

  void deliver_each(Connection& from, const Batch& batch);
  SendResult queue(Connection& to, const BatchedMessage& message);
  void broadcast_queued(const BatchedMessage& message, const BroadcastOptions& options);
  void flush(Connection& connection);
  /// Before its close: what its outbox has no room for is told as missed.
  void flush_last(Connection& connection);
  void flush_all();
  void set_batching(Connection& connection, const Batching& limits);

 private:
  friend class agent_runtime::Runtime;  // has the pool of Awakes

  // A timer of after() or every().
  struct Task {
    base::Timer timer;
    std::uint64_t id = 0;
    std::uint64_t period_ns = 0;
    ConnectionRef caller;
    std::function<void()> call;
  };
  // What few rooms have, and what stays when the agent is destroyed.
  struct Settings {
    std::optional<AutoResponse> auto_response;
    std::chrono::milliseconds event_timeout{};
    std::shared_ptr<std::uint32_t> keep_alives = std::make_shared<std::uint32_t>(0);
    std::string initial_state;  // encoded; empty once another was set: that one is in the database
  };
  // What isn't a frame, behind the output gate: an answer, or a question to another agent.
  struct HeldBack {
    std::uint64_t batch;
    std::function<void()> give;
    std::function<void(const std::string& why)> refuse;
  };
  // What only a room needs whose agent is in memory. From the shard's pool.
  struct Awake {
    std::unique_ptr<Agent> agent;  // null until it is made, and while it is destroyed
    std::uint64_t last_event_ns = 0;
    base::Timer idle;
    agent_runtime::LocalValues locals;
    base::Timer tick;
    double tick_hz = 0;  // the class's, until the agent asks for another
    std::uint64_t ticks_start_ns = 0;
    std::uint64_t ticks_done = 0;
    std::vector<std::unique_ptr<Task>> tasks;
    std::uint64_t next_task_id = 1;
    std::uint32_t index = 0;  // in the runtime's list of awake rooms
    std::uint32_t place = 0;  // in the pool
    ConnectionRef caller;     // whose event is being handled
    bool state_is_loaded = false;
    std::string state_text;     // encoded; empty: there is none
    std::optional<json> state;  // the same, once somebody asked
    std::shared_ptr<agent_runtime::HostLink> link;
    std::unique_ptr<agent_runtime::Queues> queues;  // from the first queue() on
    std::uint32_t batched = UINT32_MAX;             // members with envelopes, once somebody asked
    agent_runtime::OpenQuestions open_questions;
    std::unique_ptr<store::RoomStore> store;  // of one that has a file, or has asked for one
    bool has_no_file = false;                 // of one that hasn't, and nothing is stored
    std::unique_ptr<agent_runtime::Job> job;  // that runs, or is tried again soon
    std::uint64_t last_job_run = 0;           // of those that answer later
    bool gate_closing = false;                // by a write of this turn
    std::uint64_t gate_before = 0;            // in case that nothing was changed
    std::vector<HeldBack> held_back;
  };
  class GateCloser;

  Agent* agent() const { return awake_ == nullptr ? nullptr : awake_->agent.get(); }
  Settings& settings();
  store::Identity identity() const { return {.class_name = info_.name, .room = name()}; }
  store::RoomStore& room_store();
  void end_room();
  void lose_turn(bool gate_was_closed);
  void hold_back(std::function<void()> give, std::function<void(const std::string&)> refuse);
  bool is_file_missing();
  void deliver_with_care(std::uint32_t member, Message message);
  void give(std::uint32_t member, Message message);
  void hold(std::uint32_t member, Message message);
  void hold_batch(connection::Record& record, std::span<const std::byte> payload, bool is_text);
  void put_off(connection::Record& record, std::function<void(Host&, connection::Record&)> end);
  template <typename T, typename Ask>
  Deferred<T> later(Ask ask);
  bool answers_automatically(std::uint32_t member, Message message);
  static Schedule schedule_of(const SqlRows::Row& row);
  std::optional<Schedule> find_same(const Schedule& wanted);
  bool has_jobs();
  void add_job(const char* capability, const Schedule& job);
  template <typename Step>
  void go_on_with_jobs(Step step);
  void put_jobs_off(const std::exception& error);
  void settle_jobs();
  bool start_next_job();
  void run_job();
  void await_job(const Deferred<json>& answer);
  void job_answered(std::uint64_t run, std::optional<std::string> failure, bool may_retry);
  void job_ran(const std::optional<std::string>& failure, bool may_retry);
  void end_job();
  void check_event_timeout(const char* where, Connection* connection, std::uint64_t began_ns);
  void touch();
  bool wake();
  void sleep();
  void end_agent();
  void begin_awake();
  void forget_awake();
  void forget_questions();
  bool ask_agent(const Request& request, Deferred<Response>& answer);
  template <typename T>
  Deferred<T> count_open(const Deferred<T>& answer);
  Deferred<Response> fetch(const Request& request);
  template <typename Call>
  bool guard(const char* where, Connection* connection, Call&& call);
  template <typename Call, typename OnThrow>
  bool run(const char* where, Connection* connection, Call&& call, OnThrow&& on_throw);
  bool has_partial_message() const;
  std::string title() const;
  void tell_agent(Connection* connection, const Error& error);
  void report(const char* where, Connection* connection, const std::exception_ptr& cause);
  bool set_up(connection::Record& record, const agent_runtime::Upgrade& upgrade);
  bool fail_setup(std::string_view why);
  void refuse_session(connection::Record& record, const agent_runtime::Upgrade& upgrade);
  bool write_identity(connection::Record& record,
                      const Request& request,
                      const std::vector<std::string>& more_tags);
  void close_duplicates(const Connection& newcomer);
  void begin_session(Connection& guest, const ConnectionContext& context);
  bool handle_frame(std::uint32_t member, std::string_view text);
  void update_state(Connection& from, json next);
  void load_state();
  std::string stored_state();
  void store_state(const std::string& text);
  void reread_state();
  void accept_state(json next, Connection* source);
  void apply_state(json next, Connection* source);
  void tell_state_changed(Connection* source);
  void broadcast_protocol(std::string_view frame, const Connection* without);
  void run_call(Connection& from, codec::agents::Call& call);
  void run_stream(Connection& from, const Callable& callable, codec::agents::Call& call);
  Deferred<json> invoke(const Callable* callable,
                        std::string_view method,
                        std::vector<json>& args,
                        Connection* from);
  void send_text(ConnectionRef to, const std::string& text);
  void answer_call(ConnectionRef to, const std::string& id, const json& result);
  void call_on_close(Connection& member, std::uint16_t code, std::string_view reason, bool clean);
  void leave(connection::Record& record);
  bool may_gather(const connection::Record& record) const;
  bool excluded(const Exclusions& without);
  void send_to_all_but(std::span<const std::uint32_t> left_out,
                       codec::ws::Opcode opcode,
                       std::span<const std::byte> payload);
  void on_outbox_full(std::uint32_t slot);
  bool has_batched_members();
  void agree_on_batching(connection::Record& record, BatchFormat format);
  std::span<const std::byte> aligned(std::span<std::byte> payload);
  void refuse_envelope(connection::Record& record, std::string_view fault);
  agent_runtime::Queues& queues();
  agent_runtime::Queues::Now queues_now() const;
  SendResult push(Connection& to);
  void on_idle();
  void on_tick();
  void start_ticks();
  void stop_ticks();
  std::uint64_t tick_step_ns() const;
  void run_task(std::uint64_t id);

  // All of this is there for each sleeping room too; what only an awake one needs is in Awake.
  agent_runtime::Runtime& runtime_;
  const AgentClassInfo& info_;
  std::unique_ptr<char[]> name_;
  std::uint32_t name_bytes_ : 11;            // limits::room_name_bytes_max, which routing sees to
  std::uint32_t protocol_members_ : 21 {0};  // with flag::protocol
  std::uint32_t room_;
  connection::Group group_;
  Awake* awake_ = nullptr;  // from before the agent's construction until after its end, or null
  std::unique_ptr<Settings> settings_;
  std::uint32_t next_in_bucket_ = connection::none;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace ringroom::detail
