// Agent: the base of every room's code. One instance per (class, name), made, called and destroyed
// on the room's home shard, one callback at a time: nothing to lock, and nothing may block. Owned
// by the runtime. References given to a callback are borrowed until it returns.
#pragma once

#include "ringroom/agent_options.h"
#include "ringroom/agent_stub.h"
#include "ringroom/batch.h"
#include "ringroom/close_code.h"
#include "ringroom/connection.h"
#include "ringroom/deferred.h"
#include "ringroom/error.h"
#include "ringroom/json.h"
#include "ringroom/message.h"
#include "ringroom/request.h"
#include "ringroom/response.h"
#include "ringroom/schedule.h"
#include "ringroom/sql.h"
#include "ringroom/storage.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ringroom {

namespace detail {
class Host;
}

/// What a constructor gets and passes on: `using Agent::Agent;` does it.
class AgentContext {
 public:
  explicit AgentContext(detail::Host& host) : host_(&host) {}

 private:
  friend class Agent;
  detail::Host* host_;
};

/// What belongs to a connection's beginning. Borrowed until the callback returns.
class ConnectionContext {
 public:
  ConnectionContext(detail::Host& host, const Connection& connection, const Request& request)
      : host_(host), connection_(connection), request_(request) {}
  /// The upgrade request: method, url, path, query, headers, cookies.
  const Request& request() const { return request_; }
  /// Address and port of the client, "203.0.113.7:51234"; empty if the kernel can't tell (before
  /// Linux 6.8). Asks the kernel at each call.
  std::string peer_address() const;

 private:
  detail::Host& host_;
  const Connection& connection_;
  const Request& request_;
};

/// One step of a game loop. Ticks lie on a fixed grid, so that lateness doesn't add up.
struct Tick {
  std::uint64_t number = 0;     ///< counts from 1 since the agent woke, the missed ones too
  std::uint64_t missed = 0;     ///< ticks skipped since the last call because the shard was late
  std::chrono::nanoseconds dt;  ///< the fixed step, 1 / tick_hz
  double seconds() const { return std::chrono::duration<double>(dt).count(); }
};

/// Names a timer of after() or every(). Harmless when stale.
struct TimerId {
  std::uint64_t value = 0;
};

/// What set_auto_response was given.
struct AutoResponse {
  std::string request;
  std::string response;
};

/// Keeps its agent in memory for as long as it lives. From Agent::keep_alive(). On the room's
/// shard; one that outlives the agent (the server stops) is harmless.
class KeepAlive {
 public:
  explicit KeepAlive(std::shared_ptr<std::uint32_t> count) : count_(std::move(count)) { ++*count_; }
  ~KeepAlive() {
    if (count_ != nullptr) --*count_;
  }
  KeepAlive(KeepAlive&&) = default;
  KeepAlive& operator=(KeepAlive&& other) noexcept {
    std::swap(count_, other.count_);
    return *this;
  }
  KeepAlive(const KeepAlive&) = delete;
  KeepAlive& operator=(const KeepAlive&) = delete;

 private:
  std::shared_ptr<std::uint32_t> count_;
};

/// Who is left out of a broadcast: refs (one connection each) or ids (every connection of that
/// id). Borrows what it is made from until the broadcast returns.
class Exclusions {
 public:
  Exclusions() = default;
  Exclusions(ConnectionRef ref) : one_(ref) {}                                       // NOLINT
  Exclusions(std::string_view id) : ids_{id} {}                                      // NOLINT
  Exclusions(const char* id) : ids_{std::string_view(id)} {}                         // NOLINT
  Exclusions(const std::string& id) : ids_{std::string_view(id)} {}                  // NOLINT
  Exclusions(std::initializer_list<std::string_view> ids) : ids_(ids) {}             // NOLINT
  Exclusions(const std::vector<std::string>& ids) : ids_(ids.begin(), ids.end()) {}  // NOLINT
  Exclusions(std::span<const ConnectionRef> refs) : refs_(refs) {}                   // NOLINT
  Exclusions(const std::vector<ConnectionRef>& refs) : refs_(refs) {}                // NOLINT

  ConnectionRef one() const { return one_; }
  std::span<const ConnectionRef> refs() const { return refs_; }
  std::span<const std::string_view> ids() const { return ids_; }

 private:
  ConnectionRef one_;
  std::span<const ConnectionRef> refs_;
  std::vector<std::string_view> ids_;
};

struct BroadcastOptions {
  Exclusions without = {};
  /// Only to connections with this tag; empty: to all.
  std::string_view tag = {};
  /// For broadcast_queued(): a newer message of that key replaces the one that is still queued.
  std::string_view key = {};
};

/// The open connections of a room, or those with a tag, as a range of Connection&. Sends and
/// closes are allowed while walking it. Good until the callback returns.
class Connections {
 public:
  class Iterator {
   public:
    using value_type = Connection;
    using difference_type = std::ptrdiff_t;
    Connection& operator*() const;
    Iterator& operator++();
    friend bool operator==(const Iterator& left, const Iterator& right) {
      return left.index_ == right.index_;
    }

   private:
    friend class Connections;
    Iterator(const Connections* all, std::size_t index);
    void skip_others();
    const Connections* all_;
    std::size_t index_;
  };

  Iterator begin() const;
  Iterator end() const;
  /// How many there are. O(1) without a tag, else a walk over the room.
  std::size_t size() const;
  bool empty() const { return size() == 0; }

 private:
  friend class Agent;
  Connections(detail::Host& host, std::string_view tag, bool include_closing)
      : host_(&host), tag_(tag), include_closing_(include_closing) {}
  bool matches(std::size_t index) const;

  detail::Host* host_;
  std::string tag_;
  bool include_closing_;
};

inline constexpr bool include_closing = true;

/// Log lines with class and room in front, to the server's log.
class Logger {
 public:
  explicit Logger(const detail::Host& host) : host_(&host) {}
  void debug(std::string_view text) const;
  void info(std::string_view text) const;
  void warn(std::string_view text) const;
  void error(std::string_view text) const;

 private:
  const detail::Host* host_;
};

class Agent {
 public:
  explicit Agent(AgentContext& context) : host_(context.host_) {}
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  virtual ~Agent() = default;

  /// First of all after construction, at creation and at each wake. `props` are the class's from
  /// the server's configuration, null if there are none.
  virtual void on_start(const json& props);
  /// A plain HTTP request to the room's URL. Default: 404 `Not implemented`.
  virtual Deferred<Response> on_request(const Request& request);
  /// The handshake is done. What is thrown here closes the connection with 1011.
  virtual void on_connect(Connection& connection, const ConnectionContext& context);
  virtual void on_message(Connection& connection, Message message);
  /// An envelope came, whole and checked. Default: on_message for each of its messages, as long as
  /// the connection is open; what one of them throws doesn't keep the others back.
  virtual void on_batch(Connection& connection, Batch batch);
  /// The connection is a member no more; its state and attachment can still be read. Code 1005:
  /// the client gave none, 1006: it vanished (was_clean is false).
  virtual void on_close(Connection& connection,
                        CloseCode code,
                        std::string_view reason,
                        bool was_clean);
  /// A protocol violation or a failure on one connection, or what a callback about it threw.
  /// Default: logs. Where a client waits for an answer (session setup, on_request) it is told the
  /// error's text only if this calls the default, else `Internal Server Error`.
  virtual void on_error(Connection& connection, const Error& error);
  /// What any other callback threw. Default: logs.
  virtual void on_error(const Error& error);
  /// A connection whose outbox was full, or whose queue had to wait, has room again.
  virtual void on_drain(Connection& connection);
  /// At AgentOptions::tick_hz while somebody is connected.
  virtual void on_tick(const Tick& tick);
  /// The time of set_alarm has come. What it throws makes it be called again, twice at most.
  virtual void on_alarm();

  /// More tags for a new connection beside its id. Limits: 10 with the id, 1 to 256 bytes each;
  /// beyond them the connection fails with 1011 and the reason as text.
  virtual std::vector<std::string> connection_tags(Connection& connection,
                                                   const ConnectionContext& context);

  // ---- State: one JSON value of the room that its clients see and may replace

  /// The state of a room that never had one; nullopt: none. Asked when the state is first needed.
  virtual std::optional<json> initial_state();
  /// Refuses a new state by throwing: the client is told `State update rejected`, whoever called
  /// set_state gets the exception. `source` is the client, null for the agent itself.
  virtual void validate_state_change(const json& next, const Connection* source);
  /// After a change, when it has been sent to the clients.
  virtual void on_state_changed(const json& state, Connection* source);

  /// Whether a new connection gets the frames of the Agents protocol. Asked once, after
  /// connection_tags; the answer is kept with the connection. Default: the class's protocol_frames.
  virtual bool should_send_protocol_messages(Connection& connection,
                                             const ConnectionContext& context);
  /// Whether a new connection may not change the state. Default: it may.
  virtual bool should_connection_be_readonly(Connection& connection,
                                             const ConnectionContext& context);

  /// Whether there is a state: one was set, or initial_state gives one. null is one, too.
  bool has_state() const;
  /// null if there is none. Borrowed until the next change.
  const json& state() const;
  template <typename T>
  std::optional<T> state() const {
    if (!has_state()) return std::nullopt;
    return state().get<T>();
  }
  /// Replaces the state and sends it to every connection with protocol frames, the caller of a
  /// callable among them. Throws what validate_state_change throws, and std::runtime_error
  /// `Connection is readonly` while such a connection's event is handled.
  template <typename T>
  void set_state(const T& value) {
    set_state_json(json(value));
  }

  void set_connection_readonly(Connection& connection, bool readonly = true);
  bool is_readonly(const Connection& connection) const;
  /// Whether it gets the frames of the Agents protocol.
  bool is_protocol_enabled(const Connection& connection) const;
  /// Whose message, call or other event is being handled; in a timer, whose event set it. Null if
  /// there is none, or it has gone.
  Connection* caller() const;

  std::string_view name() const;
  std::string_view class_name() const;
  /// --env KEY=VALUE of the server.
  std::optional<std::string_view> env(std::string_view key) const;
  Logger log() const { return Logger(*host_); }
  /// Milliseconds since 1970, from the server: the same in all callbacks of a turn.
  std::int64_t now_ms() const;
  /// Uniform random bits, from the server.
  std::uint64_t random() const;

  Connections connections() const { return {*host_, {}, false}; }
  /// Those with a tag; with `include_closing` also those in their close handshake.
  Connections connections(std::string_view tag, bool with_closing = false) const {
    return {*host_, tag, with_closing};
  }
  /// The newest open connection with that id, or null.
  Connection* connection(std::string_view id) const;
  /// What a kept ref stands for, or null if it is gone or of another room.
  Connection* connection(ConnectionRef ref) const;
  /// Several while a client reconnects.
  std::vector<Connection*> connections_by_id(std::string_view id) const;

  /// To every open connection of the room; encoded once. Copies the bytes.
  void broadcast(std::string_view text, const BroadcastOptions& options = {});
  void broadcast(const char* text, const BroadcastOptions& options = {}) {
    broadcast(std::string_view(text), options);
  }
  void broadcast(const std::string& text, const BroadcastOptions& options = {}) {
    broadcast(std::string_view(text), options);
  }
  void broadcast(std::span<const std::byte> bytes, const BroadcastOptions& options = {});
  void broadcast(const Message& message, const BroadcastOptions& options = {});
  template <std::same_as<json> J>
  void broadcast(const J& value, const BroadcastOptions& options = {}) {
    broadcast(std::string_view(value.dump()), options);
  }

  /// Connection::queue() for every open connection of the room; clients whose queues hold the same
  /// get the same envelope, encoded once.
  void broadcast_queued(std::string_view type,
                        std::string_view text,
                        const BroadcastOptions& options = {});
  void broadcast_queued(std::string_view type,
                        const char* text,
                        const BroadcastOptions& options = {}) {
    broadcast_queued(type, std::string_view(text), options);
  }
  void broadcast_queued(std::string_view type,
                        const std::string& text,
                        const BroadcastOptions& options = {}) {
    broadcast_queued(type, std::string_view(text), options);
  }
  void broadcast_queued(std::string_view type,
                        std::span<const std::byte> bytes,
                        const BroadcastOptions& options = {});
  void broadcast_queued(std::string_view type,
                        const Message& message,
                        const BroadcastOptions& options = {});
  template <std::same_as<json> J>
  void broadcast_queued(std::string_view type,
                        const J& value,
                        const BroadcastOptions& options = {}) {
    broadcast_queued_json(type, value.dump(), options);
  }
  /// Sends what is queued for anybody, now.
  void flush();

  /// Calls `task` once after at least `delay`, on this shard. In memory: keeps the room awake and
  /// dies with the agent. What it throws reaches on_error.
  TimerId after(std::chrono::nanoseconds delay, std::function<void()> task);
  /// Calls `task` again and again, `period` apart (at least 1 ms), until cancelled.
  TimerId every(std::chrono::nanoseconds period, std::function<void()> task);
  void cancel(TimerId timer);

  /// Changes how often on_tick is called from now on, until the agent sleeps; 0 stops it. Numbers
  /// and grid begin anew. Throws std::invalid_argument beyond 0 to 1,000.
  void set_tick_rate(double hz);

  /// Every text message that equals `request` is answered with `response`, for all connections and
  /// without calling or waking the agent. Kept over hibernation, gone with the last connection.
  /// Throws std::length_error above 2,048 bytes each. Binary messages are never answered so.
  void set_auto_response(std::string_view request, std::string_view response);
  /// No more of it. The timestamps stay.
  void set_auto_response();
  std::optional<AutoResponse> auto_response() const;
  /// When a connection last got the automatic answer, in milliseconds since 1970.
  std::optional<std::int64_t> auto_response_timestamp(const Connection& connection) const;

  /// A callback that takes longer is named in the log and reaches on_error when it has returned (it
  /// can't be interrupted; the server's watchdog names it meanwhile). 0: no limit. Kept over
  /// hibernation. Throws std::invalid_argument beyond 0 to 7 days.
  void set_event_timeout(std::chrono::milliseconds timeout = {});
  std::optional<std::chrono::milliseconds> event_timeout() const;

  /// Calls on_alarm at `at_ms` of now_ms() or as soon as possible after it, and wakes the agent for
  /// it. Replaces an earlier alarm. Kept in the database, as schedules are, and run as they are.
  void set_alarm(std::int64_t at_ms);
  void delete_alarm();
  /// When on_alarm is due.
  std::optional<std::int64_t> alarm() const;

  /// Calls a task of the class (AgentClass::task) once: after `delay`, or at a time; or again and
  /// again, by a cron expression of five or six fields in UTC. Kept in the database: it wakes the
  /// agent, and is done after a restart if its time came while the server was down. What is due
  /// runs one after the other in the order of time, at least once: what a task writes and that it
  /// is done are one commit. One that throws is tried again, at most twice unless `options` say
  /// otherwise; then it reaches on_error, and is dropped if it doesn't repeat. Throws
  /// std::invalid_argument and SqlError.
  Schedule schedule(std::chrono::milliseconds delay,
                    std::string_view task,
                    const json& payload = nullptr,
                    const ScheduleOptions& options = {});
  Schedule schedule(std::chrono::sys_time<std::chrono::milliseconds> at,
                    std::string_view task,
                    const json& payload = nullptr,
                    const ScheduleOptions& options = {});
  template <typename Duration>
  Schedule schedule(std::chrono::sys_time<Duration> at,
                    std::string_view task,
                    const json& payload = nullptr,
                    const ScheduleOptions& options = {}) {
    return schedule(std::chrono::floor<std::chrono::milliseconds>(at), task, payload, options);
  }
  Schedule schedule(std::string_view cron,
                    std::string_view task,
                    const json& payload = nullptr,
                    const ScheduleOptions& options = {});
  /// Again and again, `period` after the end of the last run: at most 30 days.
  Schedule schedule_every(std::chrono::milliseconds period,
                          std::string_view task,
                          const json& payload = nullptr,
                          const ScheduleOptions& options = {});
  /// In the order of their times.
  std::vector<Schedule> schedules(const ScheduleFilter& filter = {}) const;
  std::optional<Schedule> get_schedule(std::string_view id) const;
  /// Whether there was one.
  bool cancel_schedule(std::string_view id);

  /// Another agent of this server, by its class ("ChatRoom" or "chat-room") and its name, which
  /// need not exist yet: agent("ChatRoom", "lobby").fetch(Request("GET", "/")).then(…).
  AgentStub agent(std::string_view agent, std::string_view name) const {
    return {*host_, agent, name};
  }

  /// Runs SQL on the agent's own SQLite database, which is made by its first write and outlives the
  /// agent and the server. `?` stands for a value, always bound: `sql("SELECT * FROM score WHERE
  /// name = ?", name)`. Of several statements the last one gets the values and gives the rows.
  /// What a turn writes is committed together at its end, and nothing that the agent sends leaves
  /// before it is durable (--durability). Reads may block the shard on a cold page, writes don't.
  /// Throws SqlError. Limits: 100 KiB of SQL, 2 MiB a value, 10 GiB a database
  /// (--database-bytes-max), 5 s a query (--query-time-max); pages have 4 KiB. No ATTACH, and
  /// tables that begin with _cf_ are ours.
  template <typename... Values>
  SqlRows sql(std::string_view query, const Values&... values) {
    const std::array<SqlValue, sizeof...(Values)> bound = {SqlValue(values)...};
    return run_sql(query, bound);
  }
  /// The same with values made at run time.
  SqlRows run_sql(std::string_view query, std::span<const SqlValue> values);
  /// What `work` writes is undone if it throws; the throw goes on. They nest.
  template <typename Work>
  auto transaction(Work work) {
    Transaction transaction(*this);
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      transaction.keep();
    } else {
      auto result = work();
      transaction.keep();
      return result;
    }
  }
  /// Keys and values, in the same database.
  Storage storage() { return Storage(*host_); }
  /// Ends the room when the turn does: its database and alarm are gone, also what is still
  /// written, then the agent. What has been said is sent, an answer to the call that asked for this
  /// too; then every connection is closed with 1001, without on_close. The next event finds a new
  /// room. Durable before anybody hears of it. Throws SqlError if the disk fails.
  void destroy();

  /// Keeps this agent in memory for as long as what is returned lives.
  [[nodiscard]] KeepAlive keep_alive();
  /// What keeps this agent in memory now: "message" (an event less than --hibernate-after ago),
  /// "tick", "timer", "request", "keep_alive", "outbox", "output gate" (a write
  /// isn't durable yet), "partial message" or "never hibernates".
  std::vector<std::string> why_awake() const;

 private:
  class Transaction {
   public:
    explicit Transaction(Agent& agent) : agent_(agent) { agent_.begin_transaction(); }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction() {
      if (is_open_) agent_.end_transaction(true);
    }
    void keep() {
      is_open_ = false;
      agent_.end_transaction(false);
    }

   private:
    Agent& agent_;
    bool is_open_ = true;
  };

  void begin_transaction();
  void end_transaction(bool undo);
  void set_state_json(json next);
  void broadcast_queued_json(std::string_view type,
                             std::string_view text,
                             const BroadcastOptions& options);

  detail::Host* host_;
};

}  // namespace ringroom
