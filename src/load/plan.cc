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
