#include "load/plan.h"

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
    case Scenario::game: return "game";
  }
  return "";
}

}  // namespace ringroom::load
