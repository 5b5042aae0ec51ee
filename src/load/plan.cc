#include "load/plan.h"

#include <algorithm>

namespace ringroom::load {

const char* name_of(Scenario scenario) {
  switch (scenario) {
    case Scenario::echo: return "echo";
    case Scenario::broadcast: return "broadcast";
    case Scenario::connect: return "connect";
    case Scenario::idle: return "idle";
    case Scenario::storm: return "storm";
    case Scenario::batch: return "batch";
    case Scenario::device: return "device";
    case Scenario::agents: return "agents";
    case Scenario::replay: return "replay";
    case Scenario::game: return "game";
  }
  return "";
}

bool Plan::follows_connections() const {
  if (scenario == Scenario::connect || scenario == Scenario::storm) return false;
  return std::any_of(phases.begin(), phases.end(), [](const Phase& phase) {
    return phase.connections.begin != 1 || phase.connections.end != 1;
  });
}

const Phase* Plan::phase_at(std::uint64_t after_ns) const {
  for (const Phase& phase : phases) {
    if (after_ns < phase.length_ns) return &phase;
    after_ns -= phase.length_ns;
  }
  return nullptr;
}

double Plan::connections_level(std::uint64_t after_ns) const {
  for (const Phase& phase : phases) {
    const auto [begin, end] = phase.connections;
    if (after_ns < phase.length_ns) {
      return begin +
             (end - begin) * static_cast<double>(after_ns) / static_cast<double>(phase.length_ns);
    }
    after_ns -= phase.length_ns;
  }
  return phases.back().connections.end;
}

std::vector<Stretch> Plan::stretches(double part) const {
  if (phases.empty()) return {};
  const auto at = [&](double level, double open) {
    return rate * part * level * (rate_each > 0 ? open : 1);
  };
  const Phase& first = phases.front();
  const double begin = at(first.rate.begin, first.connections.begin);
  std::vector<Stretch> made = {{warm_up_ns, begin, begin}};
  for (const Phase& phase : phases) {
    made.push_back({phase.length_ns, at(phase.rate.begin, phase.connections.begin),
                    at(phase.rate.end, phase.connections.end)});
  }
  return made;
}

std::uint32_t Plan::rooms_after(std::uint32_t step_before) const {
  const std::uint64_t before = step_before;
  const std::uint64_t first = first_rooms != 0 ? first_rooms : step_rooms;
  const std::uint64_t more =
      step_percent == 0 ? step_rooms : std::max<std::uint64_t>(before * step_percent / 100, 1);
  const std::uint64_t wanted = before == 0 ? first : before + more;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, rooms));
}

std::uint32_t Plan::steps() const {
  std::uint32_t count = 0;
  for (std::uint32_t there = 0; there < rooms; there = rooms_after(there)) ++count;
  return count;
}

}  // namespace ringroom::load
