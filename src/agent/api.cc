// The bodies of the public classes: Agent, Connection, Connections, Logger.
#include "agent/guard.h"
#include "base/log.h"

#include <algorithm>
#include <stdexcept>

namespace ringroom {

using codec::ws::Opcode;
using connection::Details;
using connection::Record;
using connection::Stage;
using detail::ConnectionAccess;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Opcode opcode_of(const Message& message) {
  return message.is_text() ? Opcode::text : Opcode::binary;
}

Record& record_of(const Connection& connection) {
  return ConnectionAccess::host(connection)->hub().record(connection);
}

Details details_of(const Connection& connection) {
  return {ConnectionAccess::host(connection)->hub().blobs(), record_of(connection).details};
}

void log_line(base::LogLevel level, const detail::Host& host, std::string_view text) {
  std::string line(host.info().name);
  line += '/';
  line += host.name();
  line += ": ";
  line += text;
  base::log(level, line);
}

}  // namespace

// ---- Connection

std::string_view Connection::id() const {
  return details_of(*this).id();
}

std::string_view Connection::uri() const {
  connection::Hub& hub = host_->hub();
  const Details details = details_of(*this);
  const std::string_view host = details.host(hub.host_names());
  if (host.empty()) return details.target();
  std::string uri = "http://";
  uri += host;
  uri += details.target();
  return hub.scratch().keep(uri);
}

std::vector<std::string_view> Connection::tags() const {
  const Details details = details_of(*this);
  std::vector<std::string_view> tags;
  for (std::size_t i = 0; i < details.tags(); ++i) tags.push_back(details.tag(i));
  return tags;
}

std::string_view Connection::server() const {
  return host_->name();
}

ReadyState Connection::ready_state() const {
  switch (record_of(*this).stage) {
    case Stage::http: return ReadyState::connecting;
    case Stage::open: return ReadyState::open;
    case Stage::closing:
      return host_->runtime().scratch().closed_slot == slot_ ? ReadyState::closed
                                                             : ReadyState::closing;
    default: return ReadyState::closed;
  }
}

SendResult Connection::send(std::string_view text) {
  return host_->send(*this, Opcode::text, bytes_of(text));
}

SendResult Connection::send(std::span<const std::byte> bytes) {
  return host_->send(*this, Opcode::binary, bytes);
}

SendResult Connection::send(const Message& message) {
  return host_->send(*this, opcode_of(message), message.bytes());
}

void Connection::close() {
  host_->close(*this, std::nullopt, {});
}

void Connection::close(CloseCode code, std::string_view reason) {
  host_->close(*this, number(code), reason);
}

std::size_t Connection::buffered_bytes() const {
  return host_->hub().buffered_bytes(record_of(*this));
}

json Connection::state() const {
  const Record& record = record_of(*this);
  if (record.state == connection::none) return nullptr;
  const auto text = host_->hub().blob(record, &Record::state);
  const char* begin = reinterpret_cast<const char*>(text.data());
  return json::parse(begin, begin + text.size());
}

namespace {

// Keys that the Agents SDK keeps its own flags under: an application neither sets nor sees them.
json without_reserved_keys(json state) {
  if (state.is_object()) {
    state.erase("_cf_readonly");
    state.erase("_cf_no_protocol");
  }
  return state;
}

}  // namespace

void Connection::set_state_json(const json& value) {
  const std::string text = without_reserved_keys(value).dump();
  if (text.size() > limits::state_bytes_max) {
    throw std::length_error("A connection's state cannot be larger than 16384 bytes. It was " +
                            std::to_string(text.size()) + " bytes.");
  }
  if (!host_->hub().set_blob(record_of(*this), &Record::state, bytes_of(text))) {
    throw std::runtime_error("the shard's memory for connection states is used up");
  }
}

std::span<const std::byte> Connection::attachment() const {
  return host_->hub().blob(record_of(*this), &Record::attachment);
}

void Connection::set_attachment(std::span<const std::byte> bytes) {
  const std::size_t limit = host_->hub().options().attachment_bytes_max;
  if (bytes.size() > limit) {
    throw std::length_error("A WebSocket 'attachment' cannot be larger than " +
                            std::to_string(limit) + " bytes.'attachment' was " +
                            std::to_string(bytes.size()) + " bytes.");
  }
  if (!host_->hub().set_blob(record_of(*this), &Record::attachment, bytes)) {
    throw std::runtime_error("the shard's memory for attachments is used up");
  }
}

void* Connection::local_value(const detail::LocalType& type) {
  return host_->local_value(type, *this);
}

// ---- ConnectionContext

std::string ConnectionContext::peer_address() const {
  return host_.runtime().shard().peer_address(ConnectionAccess::slot(connection_));
}

// ---- Connections

bool Connections::matches(std::size_t index) const {
  const Record& record = host_->hub().record(host_->group().members[index]);
  const bool listed =
      record.stage == Stage::open || (include_closing_ && record.stage == Stage::closing);
  if (!listed || tag_.empty()) return listed;
  return Details(host_->hub().blobs(), record.details).has_tag(tag_);
}

std::size_t Connections::size() const {
  if (tag_.empty() && !include_closing_) return host_->group().open;
  std::size_t count = 0;
  for (std::size_t i = 0; i < host_->group().members.size(); ++i) {
    if (matches(i)) ++count;
  }
  return count;
}

Connections::Iterator Connections::begin() const {
  return {this, 0};
}
Connections::Iterator Connections::end() const {
  return {this, host_->group().members.size()};
}

Connections::Iterator::Iterator(const Connections* all, std::size_t index)
    : all_(all), index_(index) {
  skip_others();
}

void Connections::Iterator::skip_others() {
  while (index_ < all_->host_->group().members.size() && !all_->matches(index_)) ++index_;
}

Connection& Connections::Iterator::operator*() const {
  return all_->host_->group().members[index_];
}

Connections::Iterator& Connections::Iterator::operator++() {
  ++index_;
  skip_others();
  return *this;
}

// ---- Logger

void Logger::debug(std::string_view text) const {
  log_line(base::LogLevel::debug, *host_, text);
}
void Logger::info(std::string_view text) const {
  log_line(base::LogLevel::info, *host_, text);
}
void Logger::warn(std::string_view text) const {
  log_line(base::LogLevel::warn, *host_, text);
}
void Logger::error(std::string_view text) const {
  log_line(base::LogLevel::error, *host_, text);
}

// ---- Agent: what a class gets that overrides nothing

void Agent::on_start(const json&) {}
Deferred<Response> Agent::on_request(const Request&) {
  return Response::text(404, "Not implemented");
}
void Agent::on_connect(Connection&, const ConnectionContext&) {}
void Agent::on_message(Connection&, Message) {}
void Agent::on_close(Connection&, CloseCode, std::string_view, bool) {}
// What a callback threw is in the log already; a protocol violation is the client's affair.
void Agent::on_error(Connection& connection, const Error& error) {
  host_->runtime().scratch().error_passed_on = true;
  if (error.cause() == nullptr) {
    log().debug("connection " + std::string(connection.id()) + ": " + std::string(error.message()));
  }
}
void Agent::on_error(const Error&) {
  host_->runtime().scratch().error_passed_on = true;
}
void Agent::on_drain(Connection&) {}
void Agent::on_tick(const Tick&) {}
void Agent::on_alarm() {}
std::vector<std::string> Agent::connection_tags(Connection&, const ConnectionContext&) {
  return {};
}

std::optional<json> Agent::initial_state() {
  return std::nullopt;
}
void Agent::validate_state_change(const json&, const Connection*) {}
void Agent::on_state_changed(const json&, Connection*) {}
bool Agent::should_send_protocol_messages(Connection&, const ConnectionContext&) {
  return host_->info().options.protocol_frames;
}
bool Agent::should_connection_be_readonly(Connection&, const ConnectionContext&) {
  return false;
}

// ---- Agent: what a class may call

bool Agent::has_state() const {
  return host_->has_state();
}
const json& Agent::state() const {
  return host_->state();
}
void Agent::set_state_json(json next) {
  host_->set_state(std::move(next));
}
void Agent::set_connection_readonly(Connection& connection, bool readonly) {
  host_->set_readonly(connection, readonly);
}
bool Agent::is_readonly(const Connection& connection) const {
  return host_->is_readonly(connection);
}
bool Agent::is_protocol_enabled(const Connection& connection) const {
  return host_->is_protocol_enabled(connection);
}
Connection* Agent::caller() const {
  return host_->caller();
}

std::string_view Agent::name() const {
  return host_->name();
}
std::string_view Agent::class_name() const {
  return host_->info().name;
}

std::optional<std::string_view> Agent::env(std::string_view key) const {
  const auto& env = host_->runtime().options().env;
  const auto found = env.find(std::string(key));
  if (found == env.end()) return std::nullopt;
  return found->second;
}

std::int64_t Agent::now_ms() const {
  return host_->runtime().wall_ms();
}
std::uint64_t Agent::random() const {
  return host_->runtime().random().next();
}

Connection* Agent::connection(ConnectionRef ref) const {
  return host_->resolve(ref);
}

Connection* Agent::connection(std::string_view id) const {
  Connection* newest = nullptr;
  for (Connection& each : connections()) {
    if (each.id() == id && (newest == nullptr || ConnectionAccess::is_newer(each, *newest))) {
      newest = &each;
    }
  }
  return newest;
}

std::vector<Connection*> Agent::connections_by_id(std::string_view id) const {
  std::vector<Connection*> found;
  for (Connection& connection : connections()) {
    if (connection.id() == id) found.push_back(&connection);
  }
  return found;
}

void Agent::broadcast(std::string_view text, const BroadcastOptions& options) {
  host_->broadcast(Opcode::text, bytes_of(text), options);
}
void Agent::broadcast(std::span<const std::byte> bytes, const BroadcastOptions& options) {
  host_->broadcast(Opcode::binary, bytes, options);
}
void Agent::broadcast(const Message& message, const BroadcastOptions& options) {
  host_->broadcast(opcode_of(message), message.bytes(), options);
}

TimerId Agent::after(std::chrono::nanoseconds delay, std::function<void()> task) {
  const auto wait = std::max(delay, std::chrono::nanoseconds(0));
  return host_->add_task(static_cast<std::uint64_t>(wait.count()), 0, std::move(task));
}

TimerId Agent::every(std::chrono::nanoseconds period, std::function<void()> task) {
  if (period < std::chrono::milliseconds(1)) {
    throw std::invalid_argument("every(): the period must be at least 1 ms");
  }
  const auto step = static_cast<std::uint64_t>(period.count());
  return host_->add_task(step, step, std::move(task));
}

void Agent::cancel(TimerId timer) {
  host_->cancel_task(timer);
}

void Agent::set_tick_rate(double hz) {
  if (!(hz >= 0 && hz <= limits::tick_hz_max)) {
    throw std::invalid_argument("set_tick_rate(): the rate must be between 0 and 1,000 a second");
  }
  host_->set_tick_rate(hz);
}

void Agent::set_auto_response(std::string_view request, std::string_view response) {
  host_->set_auto_response(AutoResponse{std::string(request), std::string(response)});
}
void Agent::set_auto_response() {
  host_->set_auto_response(std::nullopt);
}

std::optional<AutoResponse> Agent::auto_response() const {
  const AutoResponse* pair = host_->auto_response();
  return pair == nullptr ? std::nullopt : std::optional(*pair);
}

std::optional<std::int64_t> Agent::auto_response_timestamp(const Connection& connection) const {
  const std::uint64_t at_ms = record_of(connection).auto_response_ms;
  return at_ms == 0 ? std::nullopt : std::optional(static_cast<std::int64_t>(at_ms));
}

void Agent::set_event_timeout(std::chrono::milliseconds timeout) {
  host_->set_event_timeout(timeout);
}

std::optional<std::chrono::milliseconds> Agent::event_timeout() const {
  const auto timeout = host_->event_timeout();
  return timeout.count() == 0 ? std::nullopt : std::optional(timeout);
}

void Agent::set_alarm(std::int64_t at_ms) {
  host_->set_alarm(at_ms);
}
void Agent::delete_alarm() {
  host_->set_alarm(std::nullopt);
}
std::optional<std::int64_t> Agent::alarm() const {
  return host_->alarm();
}

namespace {

Schedule wanted_schedule(ScheduleType type, std::string_view task, const json& payload) {
  Schedule wanted;
  wanted.type = type;
  wanted.task = task;
  wanted.payload = payload;
  return wanted;
}

}  // namespace

Schedule Agent::schedule(std::chrono::milliseconds delay,
                         std::string_view task,
                         const json& payload,
                         const ScheduleOptions& options) {
  Schedule wanted = wanted_schedule(ScheduleType::delayed, task, payload);
  wanted.period = delay;
  return host_->schedule(std::move(wanted), options);
}
Schedule Agent::schedule(std::chrono::sys_time<std::chrono::milliseconds> at,
                         std::string_view task,
                         const json& payload,
                         const ScheduleOptions& options) {
  Schedule wanted = wanted_schedule(ScheduleType::scheduled, task, payload);
  wanted.time_ms = at.time_since_epoch().count();
  return host_->schedule(std::move(wanted), options);
}
Schedule Agent::schedule(std::string_view cron,
                         std::string_view task,
                         const json& payload,
                         const ScheduleOptions& options) {
  Schedule wanted = wanted_schedule(ScheduleType::cron, task, payload);
  wanted.cron = cron;
  return host_->schedule(std::move(wanted), options);
}
Schedule Agent::schedule_every(std::chrono::milliseconds period,
                               std::string_view task,
                               const json& payload,
                               const ScheduleOptions& options) {
  Schedule wanted = wanted_schedule(ScheduleType::interval, task, payload);
  wanted.period = period;
  return host_->schedule_every(std::move(wanted), options);
}
std::vector<Schedule> Agent::schedules(const ScheduleFilter& filter) const {
  return host_->schedules(filter);
}
std::optional<Schedule> Agent::get_schedule(std::string_view id) const {
  return host_->get_schedule(id);
}
bool Agent::cancel_schedule(std::string_view id) {
  return host_->cancel_schedule(id);
}

KeepAlive Agent::keep_alive() {
  return host_->keep_alive();
}

std::vector<std::string> Agent::why_awake() const {
  return host_->why_awake();
}

}  // namespace ringroom
