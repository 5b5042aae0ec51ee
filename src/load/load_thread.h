// LoadThread: one thread of the load: its ring, its crowd, its play, from the first connect to the
// last close. Made by the main thread, runs in its own; the two speak by a Stage, by
// take_intervals(), and by the report after the join.
#pragma once

#include "load/crowd.h"
#include "load/headcount.h"
#include "load/histogram.h"
#include "load/plan.h"
#include "load/recorder.h"
#include "load/stamp.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ringroom::load {

/// What all threads of a run wait for together.
struct Stage {
  static constexpr std::uint64_t not_yet = UINT64_MAX;

  std::atomic<std::uint32_t> ready{0};           ///< threads that have opened what they could
  std::atomic<std::uint64_t> begin_ns{not_yet};  ///< set by the main thread when all are
  std::atomic<bool> stopped{false};              ///< the user wants the end now
};

/// What one thread saw between two moments.
struct Interval {
  std::uint64_t begin_ns = 0;
  std::uint64_t end_ns = 0;
  Tally tally;
  std::uint32_t open = 0;
  std::uint64_t busy_ns = 0;
  Histogram latency;
};

struct ThreadReport {
  std::string failure;  ///< why it couldn't work at all
  Tally total;
  Tally measured;          ///< of the measured time
  std::uint32_t open = 0;  ///< connections when the traffic began, or the most by the phases
  Histogram latency;
  std::vector<Histogram> phases;  ///< of latency, as the plan has them
  Histogram handshake;
  FaultExamples examples;
  std::uint64_t measured_ns = 0;
  std::uint64_t busy_ns = 0;  ///< of the measured time: working, not waiting
  std::uint64_t cpu_ns = 0;   ///< of the measured time
  std::uint64_t lag_max_ns = 0;
};

class LoadThread {
 public:
  LoadThread(const Plan& plan, const Stationery& stationery, unsigned number, Stage& stage);

  /// In its own thread; to the end.
  void run();

  /// The main thread, any time: what has come to an end since the last call.
  std::vector<Interval> take_intervals();
  /// How many connections it has now.
  std::uint32_t open() const { return open_.load(std::memory_order_relaxed); }
  /// After run().
  const ThreadReport& report() const { return report_; }
  /// How many connections a thread of the plan has, at most.
  static std::uint32_t connections_of(const Plan& plan, unsigned number);

 private:
  std::unique_ptr<Play> make_play();
  std::unique_ptr<Play> make_exchange();
  void fill(Crowd& crowd) const;
  void open_all();
  void open_at_once(std::uint32_t clients);
  void open_step(std::uint64_t now_ns);
  std::uint64_t follow_phases(std::uint64_t now_ns);
  std::uint32_t rooms_at(double level) const;
  bool wait_for_begin();
  void play();
  std::uint64_t begin_play();
  std::uint64_t interval_after(std::uint64_t moment_ns) const;
  std::uint32_t connecting_max() const;
  void begin_window(std::uint64_t now_ns);
  void end_window(std::uint64_t now_ns);
  void end_interval(std::uint64_t now_ns);
  void leave();
  std::size_t turn(std::uint64_t deadline_ns, bool gather);
  std::uint64_t used_ns() const;

  const Plan& plan_;
  const Stationery& stationery_;
  unsigned number_;
  Stage& stage_;
  std::unique_ptr<reactor::Ring> ring_;
  std::unique_ptr<Crowd> crowd_;
  std::unique_ptr<Play> play_;
  std::optional<Headcount> headcount_;  // where phases have connections of their own
  Recorder recorder_;
  std::vector<std::uint64_t> phase_ends_;
  ThreadReport report_;
  std::atomic<std::uint32_t> open_{0};

  enum class Window : std::uint8_t { before, inside, after };
  Window window_ = Window::before;
  Tally at_window_begin_;
  std::uint64_t window_begin_ns_ = 0;
  std::uint64_t cpu_at_begin_ns_ = 0;
  std::uint64_t interval_begin_ns_ = 0;
  std::uint64_t intervals_ended_ = 0;
  Tally at_interval_begin_;
  std::uint64_t used_at_interval_begin_ns_ = 0;
  std::uint64_t busy_ns_ = 0;  // of the whole run, without waiting
  std::uint32_t opened_ = 0;   // clients that were opened so far, without a headcount
  std::uint64_t step_ = 0;     // of a game, from 1
  std::uint32_t rooms_ = 0;    // that it has, in all threads
  std::mutex mutex_;
  std::vector<Interval> intervals_;  // guarded by mutex_
};

/// How long one interval is, unless a phase ends before.
std::uint64_t interval_ns(const Plan& plan);

}  // namespace ringroom::load
