// The turn of a shard, and where each completion goes.
#include "shard/shard.h"

#include "base/assert.h"
#include "base/log.h"
#include "store/names.h"

#include <algorithm>

namespace ringroom::shard {

using connection::Deadline;
using connection::Record;
using connection::Stage;
using reactor::Op;
using reactor::Tag;

namespace {

// A turn with so many events is followed by one that waits a little for more.
constexpr std::uint64_t busy_events = 16;
// The clock is looked at once in so many messages at the most.
constexpr std::uint64_t messages_per_clock_max = 16;
constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::uint64_t retry_letters_ns = 1'000'000;

connection::HubOptions hub_options(const Config& config) {
  return {.outbox_bytes_max = config.outbox_bytes_max,
          .attachment_bytes_max = config.attachment_bytes_max,
          .close_timeout = config.close_timeout};
}

store::StoreOptions store_options(const Config& config) {
  store::StoreOptions options;
  options.durability = config.durability;
  options.open_max = config.databases_open_max;
  options.files_max = config.room_files_max;
  options.limits.database_bytes_max = config.database_bytes_max;
  options.limits.query_time_max = config.query_time_max;
  return options;
}

}  // namespace

std::unique_ptr<Shard> Shard::make(Fleet& fleet,
                                   unsigned index,
                                   base::Random random,
                                   std::string& failure) {
  const Config& config = fleet.config();
  reactor::RingFailure ring_failure;
  auto ring = reactor::Ring::make(
      {.files_max = config.files_max, .features_allowed = config.ring_features}, ring_failure);
  if (ring == nullptr) {
    failure = ring_failure.message;
    return nullptr;
  }
  return std::make_unique<Shard>(fleet, index, std::move(ring), random);
}

Shard::Shard(Fleet& fleet, unsigned index, std::unique_ptr<reactor::Ring> ring, base::Random random)
    : fleet_(fleet),
      config_(fleet.config()),
      index_(index),
      lane_(fleet.lane(index)),
      ring_(std::move(ring)),
      hub_(*ring_, completions_, timers_, hub_options(config_)),
      store_(fleet.storage_helper(), store_options(config_)),
      runtime_options_{.env = config_.env,
                       .props = config_.props,
                       .hibernate_after = config_.hibernate_after,
                       .room_connections_max = config_.room_connections_max,
                       .alarm_index = store::alarms_name(index, fleet.shards())},
      runtime_(runtime_options_, hub_, store_, timers_, lane_.watch, *this, random),
      router_(config_, lane_.watch),
      outgoing_(fleet.shards()) {
  lane_.ring_descriptor = ring_->descriptor();
  lane_.files_max = ring_->files_max();
  lane_.ring_description = reactor::describe(ring_->features());
  turn_began_ns_ = ring_->now_ns();
  runtime_.set_now(turn_began_ns_, turn_began_ns_, ring_->wall_ms());
  ring_->read_event(lane_.stop_event, &stop_counter_, Tag::of(Op::event, stop_event));
  await_helper();
  mind_the_table();
  arm_accepts();
  if (config_.ping_every.count() > 0) {
    ping_timer_.kind = UINT8_MAX;
    timers_.set(ping_timer_, turn_began_ns_);
  }
  lane_.ready.store(true, std::memory_order_release);
}

Shard::~Shard() {
  runtime_.stop();
  store_.finish();
}

void Shard::run() {
  while (turn()) {
  }
}

// What a step makes is finished by a later one, so a message that arrives now is answered by the
// flush of the same turn, in one send per connection.
bool Shard::turn() {
  wait();
  const std::size_t fresh = completions_.size();
  ring_->reap(completions_);
  hub_.settle(fresh);
  hub_.scratch().reset();
  const std::uint64_t last_look_ns = turn_began_ns_;
  const std::uint64_t began = turn_began_ns_ = ring_->now_ns();
  if (began >= wall_offset_until_ns_) {
    wall_offset_ms_ = ring_->wall_ms() - static_cast<std::int64_t>(began / 1'000'000);
    wall_offset_until_ns_ = began + second_ns;
  }
  runtime_.set_now(began, std::max(last_look_ns, began - gather_ns_),
                   wall_offset_ms_ + static_cast<std::int64_t>(began / 1'000'000));
  until_clock_ = messages_per_clock_ = 1;
  spent_ns_ = 0;
  budget_spent_ = false;

  on_trouble();
  resume_unfinished();
  dispatch_all();
  open_letters();
  expire_timers();
  rearm_starved();
  put_to_bed();
  commit_writes();
  hub_.flush();
  push_outgoing();
  publish(began);
  return !is_stopped();
}

void Shard::wait() {
  // Buffers that sends of this turn lie in come back at its end, which nothing announces.
  const bool starves = !starved_.empty() && hub_.holds_buffers();
  const bool work_left = next_completion_ < completions_.size() || !unfinished_.empty() ||
                         !going_to_bed_.empty() || hub_.has_work() || runtime_.has_work() ||
                         store_.has_turn() || starves;
  gather_ns_ = 0;
  if (work_left) return ring_->submit_and_wait(0);
  completions_.clear();
  next_completion_ = 0;
  // Letters that come from now on ring the bell; those that came before are seen here.
  lane_.asleep.store(true, std::memory_order_seq_cst);
  const bool mail = std::any_of(lane_.inboxes.begin(), lane_.inboxes.end(),
                                [](const auto& inbox) { return !inbox->empty(); });
  // A letter that found a full mailbox is tried again soon.
  const bool unsent = std::any_of(outgoing_.begin(), outgoing_.end(),
                                  [](const auto& letters) { return !letters.empty(); });
  const std::uint64_t deadline =
      unsent ? ring_->now_ns() + retry_letters_ns : timers_.next_deadline();
  gather_ns_ = patience_ns();
  const std::uint64_t busy_ns = was_busy_ ? reactor::Ring::busy_gather_ns : 0;
  ring_->submit_and_wait(mail ? 0 : deadline, std::max(gather_ns_, busy_ns));
  lane_.asleep.store(false, std::memory_order_relaxed);
}

// How long what comes in may wait for more: not while a room waits for the disk or for others.
std::uint64_t Shard::patience_ns() {
  const std::uint64_t agreed_ns = runtime_.gathering().wait_ns(hub_.slab().live());
  if (agreed_ns == 0 || !ring_->features().min_wait) return 0;
  return store_.is_writing() || questions_open_ > 0 ? 0 : agreed_ns;
}

void Shard::dispatch_all() {
  const std::size_t first = next_completion_;
  while (next_completion_ < completions_.size()) {
    dispatch(completions_[next_completion_++]);
    if (over_budget()) break;
  }
  events_of_turn_ = next_completion_ - first;
  was_busy_ = events_of_turn_ >= busy_events;
}

// By value: a callback may make the array grow.
void Shard::dispatch(const Completion& arrived) {
  const Completion completion = arrived;
  switch (completion.tag.op()) {
    case Op::receive: return on_receive(completion);
    case Op::receive_once: return on_receive_once(completion);
    case Op::accept: return on_accept(completion);
    case Op::close: return on_close(completion);
    case Op::send: return;  // settled already
    case Op::send_rest: return hub_.on_rest_sent(completion);
    case Op::arrival: {
      std::unique_ptr<Arrival> arrival(reinterpret_cast<Arrival*>(completion.tag.payload()));
      return take_arrival(static_cast<std::uint32_t>(completion.result), std::move(arrival));
    }
    case Op::move: return on_moved(completion);
    case Op::event: return completion.tag.slot() == stop_event ? start_stopping() : await_helper();
    case Op::log_write: return on_log_write(completion);
    case Op::open_file: return on_file_open(completion);
    case Op::poll: return on_poll(completion);
    case Op::shut_down: return hub_.on_shut_down(completion);
    case Op::connect:  // of the load client; a shard makes none
    case Op::letters:
    case Op::ignored: return;
  }
}

// What the rooms have written is paid for at the end of the turn, and counts already.
bool Shard::over_budget() {
  if (--until_clock_ > 0) return budget_spent_;
  const auto budget = static_cast<std::uint64_t>(config_.turn_budget.count());
  const std::uint64_t spent =
      std::max(ring_->now_ns() - turn_began_ns_ + store_.rooms_in_turn() * commit_ns_, spent_ns_);
  budget_spent_ = spent > budget;
  // The next look comes when the budget may be spent, going by what the last messages took.
  const std::uint64_t each = std::max<std::uint64_t>((spent - spent_ns_) / messages_per_clock_, 1);
  const std::uint64_t left = budget_spent_ ? 0 : budget - spent;
  messages_per_clock_ = std::clamp<std::uint64_t>(left / each, 1, messages_per_clock_max);
  until_clock_ = messages_per_clock_;
  spent_ns_ = spent;
  return budget_spent_;
}

// Sends that failed, and outboxes that have room again.
void Shard::on_trouble() {
  for (const connection::SlotRef ref : hub_.take_failed()) {
    Record* record = hub_.find(ref.slot, ref.generation);
    if (record != nullptr) connection_ended(ref.slot, *record);
  }
  for (const connection::SlotRef ref : hub_.take_drained()) {
    Record* record = hub_.find(ref.slot, ref.generation);
    if (record == nullptr) continue;
    record->clear(connection::flag::was_full);
    if (record->room != connection::none) runtime_.host(record->room).drained(*record);
    resume(ref.slot, ref.generation);
  }
}

void Shard::expire_timers() {
  while (base::Timer* timer = timers_.take_due(turn_began_ns_)) fire(*timer);
}

void Shard::fire(base::Timer& timer) {
  if (&timer == &ping_timer_) return ping_the_silent();
  if (&timer == &tidy_timer_) return tidy();
  if (&timer == &recording_timer_) return end_recording("time");
  if (agent_runtime::is_room_timer(timer)) return runtime_.fire(timer);
  on_deadline(timer.owner, static_cast<Deadline>(timer.kind));
}

void Shard::on_deadline(std::uint32_t slot, Deadline about) {
  Record& record = hub_.slab()[slot];
  switch (about) {
    case Deadline::handshake:
    case Deadline::keep_alive: end_session(slot); return hub_.close_file(slot);
    case Deadline::close:
    case Deadline::linger: return connection_ended(slot, record);
  }
}

void Shard::publish(std::uint64_t turn_began_ns) {
  Stats& stats = lane_.stats;
  const agent_runtime::RuntimeCounts& counts = runtime_.counts();
  stats.connections_open.set(hub_.slab().live());
  stats.connections_parked.set(hub_.counts().connections_parked);
  stats.connections_total.set(connections_total_);
  stats.agents_awake.set(counts.agents_awake);
  stats.agents_created_total.set(counts.agents_created);
  stats.rooms.set(runtime_.rooms());
  stats.messages_received_total.set(counts.messages_received);
  stats.messages_sent_total.set(hub_.counts().messages_sent);
  stats.bytes_received_total.set(bytes_received_);
  stats.bytes_sent_total.set(hub_.counts().bytes_sent);
  stats.requests_total.set(requests_);
  stats.upgrades_refused_total.set(refused_);
  stats.handovers_total.set(handovers_);
  stats.receive_buffers_exhausted_total.set(ring_->buffers_exhausted_total());
  stats.outbox_dropped_total.set(counts.outbox_dropped);
  stats.outbox_closed_total.set(counts.outbox_closed);
  stats.callbacks_failed_total.set(counts.callbacks_failed);
  publish_storage();
  stats.turn_time.add(ring_->now_ns() - turn_began_ns);
}

std::vector<RoomInfo> Shard::room_infos() const {
  std::vector<RoomInfo> infos;
  runtime_.for_each_room([&](const detail::Host& host) {
    infos.push_back({.class_name = std::string(host.info().name),
                     .name = std::string(host.name()),
                     .shard = index_,
                     .connections = host.group().open,
                     .bytes_received = host.bytes_received(),
                     .bytes_sent = host.group().bytes_sent,
                     .awake = host.why_awake()});
  });
  return infos;
}

void Shard::tick_late_by(std::uint64_t nanoseconds) {
  lane_.stats.tick_lateness.add(nanoseconds);
}

void Shard::job_late_by(std::uint64_t nanoseconds) {
  lane_.stats.job_lateness.add(nanoseconds);
}

const detail::AgentClassInfo* Shard::find_class(std::string_view name) {
  return router_.find_class(name);
}

std::string Shard::peer_address(std::uint32_t slot) {
  return ring_->peer_address(slot);
}

}  // namespace ringroom::shard
