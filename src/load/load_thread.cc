#include "load/load_thread.h"

#include "load/exchange.h"
#include "load/handshakes.h"
#include "load/quiet_plays.h"
#include "load/replay.h"
#include "load/staircase.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <ctime>
#include <utility>

#include <sys/prctl.h>

namespace ringroom::load {

namespace {

constexpr std::uint64_t look_every_ns = 50'000'000;  // for the stage, however quiet the ring is
constexpr std::uint64_t leave_within_ns = 2'000'000'000;
// Players' inputs come in bunches, as a network card hands them over: a hundredth of what a game's
// latency may be, and a turn of the client is not spent on each.
constexpr std::uint64_t game_grain_ns = 500'000;
constexpr std::uint64_t follow_every_ns = 5'000'000;  // phases, where connections come and go
constexpr std::size_t busy_completions = 16;
constexpr std::uint16_t normal_closure = 1000;

std::uint64_t thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// Of a closed loop it is known how much can come. Twice that: the kernel gets a piece back when all
// of it was read.
std::uint32_t receive_bytes(const Plan& plan, std::uint32_t connections) {
  constexpr std::uint64_t least = 256U << 10U;
  constexpr std::uint64_t most = 2U << 20U;
  constexpr std::uint64_t header_bytes = 8;
  if (!plan.is_exchange() || plan.rate > 0 || plan.envelopes != BatchFormat::none) return most;
  const std::uint64_t speakers = !plan.is_shared()   ? 1
                                 : plan.senders != 0 ? plan.senders
                                                     : plan.members;
  const std::uint64_t messages = std::uint64_t{connections} * speakers * plan.in_flight;
  const std::uint64_t bytes = 2 * messages * (plan.sizes.most + plan.prefix.size() + header_bytes);
  return static_cast<std::uint32_t>(std::bit_ceil(std::clamp(bytes, least, most)));
}

// A number's share of a total, when threads take turns.
std::uint32_t share_of(std::uint32_t total, unsigned threads, unsigned number) {
  return total / threads + (number < total % threads ? 1 : 0);
}

}  // namespace

std::uint64_t interval_ns(const Plan& plan) {
  if (plan.scenario == Scenario::game) return plan.step_ns / Staircase::parts;
  return std::clamp<std::uint64_t>(plan.duration_ns / 60, 100'000'000, 1'000'000'000);
}

std::uint32_t LoadThread::connections_of(const Plan& plan, unsigned number) {
  const std::uint32_t each = plan.room_connections();
  return share_of(plan.connections / each, plan.threads, number) * each;
}

LoadThread::LoadThread(const Plan& plan,
                       const Stationery& stationery,
                       unsigned number,
                       Stage& stage)
    : plan_(plan), stationery_(stationery), number_(number), stage_(stage) {}

void LoadThread::fill(Crowd& crowd) const {
  const std::uint32_t each = plan_.room_connections();
  for (std::uint32_t group = number_; group < plan_.connections / each; group += plan_.threads) {
    for (std::uint32_t rank = 0; rank < each; ++rank) {
      const std::uint32_t index = group * each + rank;
      crowd.add(plan_.first_index + index, plan_.members == 0 ? index % plan_.rooms : group);
    }
  }
}

std::unique_ptr<Play> LoadThread::make_play() {
  switch (plan_.scenario) {
    case Scenario::connect: return std::make_unique<Handshakes>(*crowd_, recorder_, plan_.cuts);
    case Scenario::idle: return std::make_unique<Idle>(*crowd_, recorder_);
    case Scenario::storm: return std::make_unique<Storm>(*crowd_, recorder_, plan_.storm_every_ns);
    case Scenario::replay:
      return std::make_unique<Replay>(*crowd_, recorder_, *plan_.script, plan_.speed);
    default: return make_exchange();
  }
}

std::unique_ptr<Play> LoadThread::make_exchange() {
  const double part = static_cast<double>(crowd_->size()) / plan_.connections;
  ExchangeOptions options;
  options.members = plan_.room_connections();
  options.senders = plan_.is_shared() && plan_.senders != 0 ? plan_.senders : options.members;
  options.includes_sender = !plan_.is_shared() || plan_.includes_sender;
  options.in_flight = plan_.in_flight;
  options.rate = plan_.rate * part;
  options.stretches = plan_.stretches(part);
  options.closes_rooms = plan_.follows_connections();
  options.phase = static_cast<double>(number_) / plan_.threads;
  options.sizes = plan_.sizes;
  options.reply_timeout_ns = plan_.reply_timeout_ns;
  options.prefix = plan_.prefix;
  options.hello = plan_.hello;
  options.envelopes = plan_.envelopes;
  options.batched = plan_.batched;
  if (plan_.scenario == Scenario::device) {
    options.period_ns = plan_.period_ns;
    options.jitter = plan_.jitter_percent / 100.0;
  }
  if (plan_.scenario == Scenario::agents) {
    options.method = plan_.method;
    options.arguments = plan_.arguments;
    options.states_percent = plan_.states_percent;
  }
  if (plan_.scenario == Scenario::game) options.grain_ns = game_grain_ns;
  if (plan_.scenario == Scenario::game && plan_.game_form == GameForm::tick) {
    options.reads_ticks = true;
    options.includes_sender = true;
  }
  return std::make_unique<Exchange>(*crowd_, stationery_, options, recorder_);
}

void LoadThread::run() {
  prctl(PR_SET_TIMERSLACK, 1);
  const std::uint32_t connections = connections_of(plan_, number_);
  reactor::RingFailure failure;
  reactor::RingOptions ring_options;
  ring_options.files_max = std::max<std::uint32_t>(connections, 1);
  ring_options.receive_bytes = receive_bytes(plan_, connections);
  ring_ = reactor::Ring::make(ring_options, failure);
  if (ring_ == nullptr) {
    report_.failure = failure.message;
    stage_.ready.fetch_add(1);
    return;
  }
  CrowdOptions options{.target = plan_.target,
                       .sources = plan_.sources,
                       .first_source = number_,
                       .source_step = plan_.threads,
                       .handshake_timeout_ns = plan_.handshake_timeout_ns,
                       .reset_on_close = plan_.resets()};
  crowd_ = std::make_unique<Crowd>(*ring_, std::move(options));
  fill(*crowd_);
  play_ = make_play();
  crowd_->set_play(*play_);
  if (plan_.follows_connections()) {
    headcount_.emplace(*crowd_, *play_,
                       HeadcountOptions{.members = plan_.room_connections(),
                                        .connecting_max = connecting_max(),
                                        .patience_ns = plan_.reply_timeout_ns});
  }
  if (plan_.opens_beforehand()) open_all();
  report_.open = crowd_->opened();
  stage_.ready.fetch_add(1);
  if (wait_for_begin()) {
    play();
    leave();
  }
  report_.total = crowd_->tally();
  report_.latency = recorder_.measured();
  report_.phases = recorder_.phases();
  report_.handshake = std::move(crowd_->handshake_latency());
  report_.examples = crowd_->examples();
  report_.lag_max_ns = recorder_.lag_max_ns;
}

std::size_t LoadThread::turn(std::uint64_t deadline_ns, bool gather) {
  const std::size_t completions = crowd_->turn(deadline_ns, gather);
  open_.store(crowd_->opened(), std::memory_order_relaxed);
  if (headcount_) report_.open = std::max(report_.open, crowd_->opened());
  return completions;
}

std::uint32_t LoadThread::connecting_max() const {
  return std::max(plan_.connecting_max / plan_.threads, 1U);
}

void LoadThread::open_at_once(std::uint32_t clients) {
  while (opened_ < clients && crowd_->in_progress() < connecting_max()) {
    crowd_->open(crowd_->client(opened_++));
  }
}

void LoadThread::open_all() {
  const auto all = static_cast<std::uint32_t>(crowd_->size());
  const std::uint32_t rooms = rooms_at(plan_.first_level());
  do {
    if (headcount_) {
      headcount_->want(rooms, crowd_->now_ns());
    } else {
      open_at_once(all);
    }
    turn(crowd_->now_ns() + look_every_ns, false);
  } while (!stage_.stopped && (headcount_ ? !headcount_->is_settled(rooms)
                                          : opened_ < all || crowd_->in_progress() > 0));
}

// A game's rooms come step by step, each step's as fast as --connecting lets them.
void LoadThread::open_step(std::uint64_t now_ns) {
  if (now_ns >= recorder_.times.end_ns) return;
  if (step_ <= intervals_ended_ / Staircase::parts) {
    ++step_;
    rooms_ = plan_.rooms_after(rooms_);
  }
  open_at_once(share_of(rooms_, plan_.threads, number_) * plan_.members);
}

std::uint32_t LoadThread::rooms_at(double level) const {
  const std::size_t rooms = crowd_->size() / plan_.room_connections();
  return static_cast<std::uint32_t>(std::lround(level * static_cast<double>(rooms)));
}

// Returns when the next connections come or go.
std::uint64_t LoadThread::follow_phases(std::uint64_t now_ns) {
  const Times& times = recorder_.times;
  if (now_ns >= times.end_ns) return UINT64_MAX;
  const std::uint64_t after_ns = now_ns - std::min(now_ns, times.measure_ns);
  const std::uint32_t rooms = rooms_at(plan_.connections_level(after_ns));
  headcount_->want(rooms, now_ns);
  return now_ns + follow_every_ns;
}

std::uint64_t LoadThread::used_ns() const {
  return plan_.spin ? busy_ns_ : thread_cpu_ns();
}

bool LoadThread::wait_for_begin() {
  while (stage_.begin_ns == Stage::not_yet && !stage_.stopped) {
    turn(crowd_->now_ns() + look_every_ns / 10, false);
  }
  return stage_.begin_ns != Stage::not_yet;
}

// Returns when the first interval ends.
std::uint64_t LoadThread::begin_play() {
  Times& times = recorder_.times;
  times.begin_ns = stage_.begin_ns;
  times.measure_ns = times.begin_ns + plan_.warm_up_ns;
  times.end_ns = times.measure_ns + plan_.duration_ns;
  std::uint64_t end_ns = times.measure_ns;
  for (const Phase& phase : plan_.phases) phase_ends_.push_back(end_ns += phase.length_ns);
  recorder_.set_phases(phase_ends_.empty() ? std::vector{times.end_ns} : phase_ends_);
  interval_begin_ns_ = times.begin_ns;
  used_at_interval_begin_ns_ = used_ns();
  play_->begin();
  return interval_after(times.begin_ns);
}

// Intervals end with their phase: one that would be very short is part of the one before.
std::uint64_t LoadThread::interval_after(std::uint64_t moment_ns) const {
  const std::uint64_t length_ns = interval_ns(plan_);
  const auto phase_end = std::upper_bound(phase_ends_.begin(), phase_ends_.end(), moment_ns);
  const std::uint64_t measure_ns = recorder_.times.measure_ns;
  std::uint64_t bound = UINT64_MAX;
  if (!phase_ends_.empty() && moment_ns < measure_ns) {
    bound = measure_ns;
  } else if (phase_end != phase_ends_.end()) {
    bound = *phase_end;
  }
  return bound - moment_ns < length_ns + length_ns / 2 ? bound : moment_ns + length_ns;
}

void LoadThread::play() {
  std::uint64_t interval_end = begin_play();
  Times& times = recorder_.times;
  const bool may_gather = plan_.rate == 0 && !plan_.spin;
  std::size_t completions = 0;
  for (;;) {
    const std::uint64_t now = crowd_->now_ns();
    if (stage_.stopped && now < times.end_ns) times.end_ns = now;
    if (window_ == Window::before && now >= times.measure_ns) begin_window(now);
    if (window_ == Window::inside && now >= times.end_ns && !play_->is_behind()) end_window(now);
    recorder_.move_to(now);
    if (now >= interval_end) {
      end_interval(now);
      interval_end = interval_after(interval_end);  // however late this one was
    }
    if (plan_.scenario == Scenario::game) open_step(now);
    const std::uint64_t changes = headcount_ ? follow_phases(now) : UINT64_MAX;
    const std::uint64_t due = std::min(play_->on_time(now), changes);
    if (now >= times.end_ns && (play_->is_done() || now >= times.end_ns + plan_.reply_timeout_ns)) {
      break;
    }
    const std::uint64_t next = now < times.measure_ns ? times.measure_ns
                               : now < times.end_ns   ? times.end_ns
                                                      : UINT64_MAX;
    const std::uint64_t deadline = std::min({due, next, interval_end, now + look_every_ns});
    const bool gather = may_gather && completions >= busy_completions;
    completions = turn(plan_.spin ? 0 : deadline, gather);
    if (completions == 0) continue;
    const std::uint64_t worked_ns = crowd_->now_ns() - now;
    busy_ns_ += worked_ns;
    if (window_ == Window::inside) report_.busy_ns += worked_ns;
  }
  if (window_ == Window::inside) end_window(crowd_->now_ns());
  end_interval(crowd_->now_ns());
}

void LoadThread::begin_window(std::uint64_t now_ns) {
  window_ = Window::inside;
  window_begin_ns_ = now_ns;
  at_window_begin_ = crowd_->tally();
  cpu_at_begin_ns_ = thread_cpu_ns();
}

void LoadThread::end_window(std::uint64_t now_ns) {
  window_ = Window::after;
  report_.measured_ns = now_ns - window_begin_ns_;
  report_.measured = crowd_->tally() - at_window_begin_;
  report_.cpu_ns = thread_cpu_ns() - cpu_at_begin_ns_;
}

void LoadThread::end_interval(std::uint64_t now_ns) {
  Interval interval{interval_begin_ns_,
                    now_ns,
                    crowd_->tally() - at_interval_begin_,
                    crowd_->opened(),
                    used_ns() - used_at_interval_begin_ns_,
                    recorder_.take_interval()};
  ++intervals_ended_;
  interval_begin_ns_ = now_ns;
  at_interval_begin_ = crowd_->tally();
  used_at_interval_begin_ns_ = used_ns();
  const std::lock_guard lock(mutex_);
  intervals_.push_back(std::move(interval));
}

std::vector<Interval> LoadThread::take_intervals() {
  const std::lock_guard lock(mutex_);
  return std::exchange(intervals_, {});
}

// Says goodbye to the server; what it doesn't answer in time is cut with the ring.
void LoadThread::leave() {
  const Tally before = crowd_->tally();
  for (std::uint32_t slot = 0; slot < crowd_->size(); ++slot) {
    crowd_->close(crowd_->client(slot), normal_closure);
  }
  const std::uint64_t until = crowd_->now_ns() + leave_within_ns;
  while (crowd_->busy() > 0 && crowd_->now_ns() < until) turn(until, false);
  crowd_->tally() = before;  // what goes wrong now is nobody's fault
}

}  // namespace ringroom::load
