#include "load/view.h"

#include "base/values.h"
#include "load/readable.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <unistd.h>

namespace ringroom::load {

namespace {

constexpr double plain_every_s = 1;
constexpr std::size_t bar_width = 20;

// What a moment belongs to, where the run has more than the measured time.
std::string part_of(const Plan& plan, double at_s) {
  const double after_s = at_s - static_cast<double>(plan.warm_up_ns) / 1e9;
  if (after_s < 0) return " (warm-up)";
  const Phase* const phase = plan.phase_at(static_cast<std::uint64_t>(after_s * 1e9));
  return phase == nullptr ? "" : " (" + phase->name + ")";
}

std::string bar(double part) {
  const auto full = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * bar_width);
  return "[" + std::string(full, '#') + std::string(bar_width - full, '.') + "]";
}

}  // namespace

View::View(const Plan& plan)
    : plan_(plan),
      is_terminal_(isatty(STDERR_FILENO) == 1),
      total_s_(static_cast<double>(plan.warm_up_ns + plan.duration_ns) / 1e9) {}

void View::put(const std::string& line, bool at_once) {
  if (plan_.quiet) return;
  if (is_terminal_) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
  } else if (at_once) {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

void View::show_opening(std::uint32_t open) {
  put("opening: " + base::grouped(open) + " of " + base::grouped(plan_.connections), false);
}

void View::show(const Moment& moment) {
  const double now_s = moment.at_s + moment.length_s;
  const bool is_due = now_s - shown_s_ >= plain_every_s * 0.95;
  if (is_due) shown_s_ = now_s;
  const double length = std::max(moment.length_s, 1e-9);
  const bool connects = plan_.scenario == Scenario::connect || plan_.scenario == Scenario::storm;
  const std::uint64_t count = connects ? moment.tally.handshakes : moment.tally.received;
  std::string line = is_terminal_ ? bar(now_s / total_s_) + " " : "";
  line += readable(std::round(now_s * 10) / 10) + " s" + part_of(plan_, moment.at_s) + ": " +
          base::grouped(moment.open) + " open, " +
          readable(std::round(static_cast<double>(count) / length)) +
          (connects ? " handshakes/s" : " received/s");
  if (moment.p50_ns != 0) {
    line += ", p50 " + readable_ns(moment.p50_ns) + ", p99 " + readable_ns(moment.p99_ns);
  }
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    if (moment.tally.faults[i] == 0) continue;
    line += ", " + base::grouped(moment.tally.faults[i]) + " " + std::string(fault_texts[i]);
  }
  put(line, is_due);
}

void View::end() {
  if (is_terminal_ && !plan_.quiet) std::fprintf(stderr, "\r\033[K");
}

}  // namespace ringroom::load
