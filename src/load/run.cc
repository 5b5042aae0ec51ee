#include "load/run.h"

#include "base/random.h"
#include "load/load_thread.h"
#include "load/view.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <deque>
#include <thread>

namespace ringroom::load {

namespace {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, as the threads have it
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds look_every{20};
constexpr int own_process = 0;  // as sched_getaffinity(2) calls it
constexpr nanoseconds head_start = milliseconds(2);

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int) {
  interrupted = 1;
}

// For the time of a run.
class Interrupts {
 public:
  Interrupts() {
    interrupted = 0;
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &before_int_);
    sigaction(SIGTERM, &action, &before_term_);
  }
  ~Interrupts() {
    sigaction(SIGINT, &before_int_, nullptr);
    sigaction(SIGTERM, &before_term_, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

 private:
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

std::uint64_t to_ns(Clock::time_point moment) {
  return static_cast<std::uint64_t>(nanoseconds(moment.time_since_epoch()).count());
}

double seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

class Run {
 public:
  explicit Run(const Plan& plan) : plan_(plan), view_(plan) {
    for (const Plan& part : plan.parts()) {
      const Stationery& stationery =
          stationeries_.emplace_back(static_cast<std::uint32_t>(base::Random::from_kernel().next()),
                                     part.text, part.sizes.most);
      for (unsigned i = 0; i < part.threads; ++i)
        threads_.emplace_back(part, stationery, i, stage_);
    }
    for (const Phase& phase : plan.phases) outcome_.result.phases.push_back({.name = phase.name});
  }

  Outcome go() {
    const Interrupts interrupts;
    outcome_.result.plan = plan_;
    outcome_.result.server_before = look_at(plan_.server_pids);
    outcome_.result.client_cores = count_cores({own_process});
    const Clock::time_point started = Clock::now();
    std::vector<std::thread> running;
    for (LoadThread& thread : threads_) running.emplace_back([&thread] { thread.run(); });
    wait_until_ready();
    outcome_.result.open_s = seconds(Clock::now() - started);
    outcome_.result.server_connected = look_at(plan_.server_pids);
    if (!stage_.stopped) watch();
    for (std::thread& thread : running) thread.join();
    collect_intervals(true);
    view_.end();
    outcome_.result.server_after = look_at(plan_.server_pids);
    add_up();
    return std::move(outcome_);
  }

 private:
  std::uint32_t open_now() const {
    std::uint32_t open = 0;
    for (const LoadThread& thread : threads_) open += thread.open();
    return open;
  }

  void wait_until_ready() {
    while (stage_.ready < plan_.threads) {
      std::this_thread::sleep_for(milliseconds(1));
      if (interrupted != 0) stage_.stopped = true;
      view_.show_opening(open_now());
    }
    for (const LoadThread& thread : threads_) {
      if (thread.report().failure.empty()) continue;
      outcome_.failure = thread.report().failure;
      stage_.stopped = true;
    }
    const auto parts = plan_.parts();
    const bool must_be_open = std::all_of(parts.begin(), parts.end(),
                                          [](const Plan& part) { return part.opens_beforehand(); });
    if (must_be_open && open_now() == 0) stage_.stopped = true;
  }

  // Until the measured time is over.
  void watch() {
    const Clock::time_point begin = Clock::now() + head_start;
    begin_ns_ = to_ns(begin);
    stage_.begin_ns = begin_ns_;
    const Clock::time_point measure = begin + nanoseconds(plan_.warm_up_ns);
    const Clock::time_point end = measure + nanoseconds(plan_.duration_ns);
    if (!wait_until(measure)) return;
    const ServerUse at_begin = look_at(plan_.server_pids);
    watch_phases(measure, at_begin);
    wait_until(end);
    const ServerUse at_end = look_at(plan_.server_pids);
    if (!plan_.server_pids.empty()) {
      outcome_.result.server_cpu_s = (at_end.cpu_ns - at_begin.cpu_ns) / 1e9;
    }
  }

  void watch_phases(Clock::time_point moment, ServerUse before) {
    for (std::size_t i = 0; i < plan_.phases.size(); ++i) {
      moment += nanoseconds(plan_.phases[i].length_ns);
      if (!wait_until(moment)) return;
      const ServerUse use = look_at(plan_.server_pids);
      if (!plan_.server_pids.empty()) {
        outcome_.result.phases[i].server_cpu_s = (use.cpu_ns - before.cpu_ns) / 1e9;
      }
      before = use;
    }
  }

  // False if the user doesn't want to.
  bool wait_until(Clock::time_point moment) {
    while (Clock::now() < moment) {
      std::this_thread::sleep_until(std::min(Clock::now() + look_every, moment));
      collect_intervals(false);
      if (interrupted != 0) stage_.stopped = true;
      if (stage_.stopped) return false;
    }
    return true;
  }

  // Intervals of all threads with the same place in time become one moment.
  void collect_intervals(bool all) {
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      for (Interval& interval : threads_[i].take_intervals()) {
        pending_[i].push_back(std::move(interval));
      }
    }
    const auto is_there = [](const std::deque<Interval>& one) { return !one.empty(); };
    while (all ? std::any_of(pending_.begin(), pending_.end(), is_there)
               : std::all_of(pending_.begin(), pending_.end(), is_there)) {
      merge_first();
    }
  }

  void merge_first() {
    Moment moment;
    Histogram latency;
    double client_use = 0;
    double client_use_sum = 0;
    for (std::deque<Interval>& intervals : pending_) {
      if (intervals.empty()) continue;
      const Interval& interval = intervals.front();
      moment.at_s = static_cast<double>(interval.begin_ns - begin_ns_) / 1e9;
      moment.length_s = static_cast<double>(interval.end_ns - interval.begin_ns) / 1e9;
      moment.tally += interval.tally;
      moment.open += interval.open;
      const double use = static_cast<double>(interval.busy_ns) /
                         static_cast<double>(interval.end_ns - interval.begin_ns);
      client_use = std::max(client_use, use);
      client_use_sum += use;
      latency.merge(interval.latency);
      intervals.pop_front();
    }
    // Threads that share a core leave each other no time.
    client_use = std::max(client_use, client_use_sum / outcome_.result.client_cores);
    moment.p50_ns = latency.quantile(0.5);
    moment.p99_ns = latency.quantile(0.99);
    moment.max_ns = latency.max();
    view_.show(moment);
    if (plan_.scenario == Scenario::game) climb(moment, latency, client_use);
    add_to_phase(moment);
    outcome_.result.moments.push_back(moment);
  }

  // Threads end their intervals with the phases, a moment late at most.
  void add_to_phase(const Moment& moment) {
    double begin_s = static_cast<double>(plan_.warm_up_ns) / 1e9;
    for (std::size_t i = 0; i < plan_.phases.size() && moment.at_s >= begin_s; ++i) {
      const double end_s = begin_s + static_cast<double>(plan_.phases[i].length_ns) / 1e9;
      if (moment.at_s < end_s) {
        PhaseResult& phase = outcome_.result.phases[i];
        if (phase.length_s == 0) phase.begin_s = begin_s;
        phase.length_s += moment.length_s;
        phase.open = moment.open;
        phase.tally += moment.tally;
      }
      begin_s = end_s;
    }
  }

  void climb(const Moment& moment, const Histogram& latency, double client_use) {
    if (stage_.stopped) return;  // what is left of a step that wasn't carried
    const bool goes_on = stairs_.add({.open = moment.open,
                                      .length_s = moment.length_s,
                                      .tally = moment.tally,
                                      .client_use = client_use,
                                      .server_cpu_ns = look_at(plan_.server_pids).cpu_ns},
                                     latency);
    if (!goes_on) stage_.stopped = true;
  }

  void add_up() {
    Result& result = outcome_.result;
    std::uint64_t measured_ns = 0;
    auto thread = threads_.begin();
    for (const Plan& part : plan_.parts()) {
      PartResult made{.name = part.name, .scenario = part.scenario, .asked = part.connections};
      std::vector<Histogram> phases(plan_.phases.size());
      for (unsigned i = 0; i < part.threads; ++i, ++thread) {
        const ThreadReport& report = thread->report();
        measured_ns = std::max(measured_ns, report.measured_ns);
        add(report, made, phases);
      }
      result.total += made.total;
      result.measured += made.measured;
      result.open += made.open;
      // Pings and handshakes are no messages: beside those they have a latency of their own.
      if (part.is_exchange() || !has_exchange()) {
        result.latency.merge(made.latency);
        for (std::size_t i = 0; i < phases.size(); ++i) result.phases[i].latency.merge(phases[i]);
      }
      if (!plan_.mix.empty()) result.parts.push_back(std::move(made));
    }
    result.measured_s = static_cast<double>(measured_ns) / 1e9;
    result.steps = stairs_.steps();
    result.players = stairs_.players();
    result.server_cores = count_cores(plan_.server_pids);
    if (!outcome_.failure.empty()) return;
    if (result.open == 0 && result.total.handshakes == 0) {
      outcome_.failure = "no connection could be opened";
      for (std::size_t i = 0; i < fault_kinds; ++i) {
        if (result.examples[i].empty()) continue;
        outcome_.failure += ": " + std::string(fault_texts[i]) + " (" + result.examples[i] + ")";
        break;
      }
    } else if (measured_ns == 0) {
      outcome_.failure = "stopped before anything was measured";
    }
  }

  bool has_exchange() const {
    const auto parts = plan_.parts();
    return std::any_of(parts.begin(), parts.end(),
                       [](const Plan& part) { return part.is_exchange(); });
  }

  void add(const ThreadReport& report, PartResult& part, std::vector<Histogram>& phases) {
    Result& result = outcome_.result;
    part.total += report.total;
    part.measured += report.measured;
    part.open += report.open;
    part.latency.merge(report.latency);
    for (std::size_t i = 0; i < phases.size() && i < report.phases.size(); ++i) {
      phases[i].merge(report.phases[i]);
    }
    result.handshake.merge(report.handshake);
    result.lag_max_us = std::max(result.lag_max_us, static_cast<double>(report.lag_max_ns) / 1e3);
    const std::uint64_t used_ns = plan_.spin ? report.busy_ns : report.cpu_ns;
    result.client_cpu_s += static_cast<double>(report.cpu_ns) / 1e9;
    result.client_use.push_back(
        static_cast<double>(used_ns) /
        static_cast<double>(std::max<std::uint64_t>(report.measured_ns, 1)));
    for (std::size_t i = 0; i < fault_kinds; ++i) {
      if (result.examples[i].empty()) result.examples[i] = report.examples[i];
    }
  }

  const Plan& plan_;
  std::deque<Stationery> stationeries_;
  Stage stage_;
  std::deque<LoadThread> threads_;
  std::vector<std::deque<Interval>> pending_ = std::vector<std::deque<Interval>>(plan_.threads);
  View view_;
  Staircase stairs_{plan_.game_p99_max_ns()};
  std::uint64_t begin_ns_ = 0;
  Outcome outcome_;
};

}  // namespace

Outcome run(const Plan& plan) {
  return Run(plan).go();
}

}  // namespace ringroom::load
