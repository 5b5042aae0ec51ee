// run: a plan from the first connection to the result: starts the threads, gives the signal, looks
// at the server's process, shows what goes on. The main thread's, once.
#pragma once

#include "load/result.h"

#include <string>

namespace ringroom::load {

struct Outcome {
  std::string failure;  ///< why nothing could be measured; else empty
  Result result;
};

/// SIGINT and SIGTERM end the run early, with what there is by then; a second one kills.
Outcome run(const Plan& plan);

}  // namespace ringroom::load
