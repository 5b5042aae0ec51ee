// Job: what a room has begun to do because its time had come: a task of its schedules, or its
// alarm. One at a time for each room; in memory while it runs, waits for its answer, or is about to
// be tried again. Until it is done its row stays in the database, so that a crash makes it run
// anew.
#pragma once

#include "ringroom/agent.h"
#include "ringroom/schedule.h"

#include <cstdint>
#include <exception>
#include <string>

namespace ringroom::agent_runtime {

struct Job {
  Schedule schedule;  // of an alarm, its time only
  bool is_alarm = false;
  bool is_set_anew = false;   // the alarm, while this one ran: that is another job
  unsigned runs = 0;          // begun
  std::exception_ptr thrown;  // by the last one
  TimerId patience;           // for an answer that comes later
};

}  // namespace ringroom::agent_runtime
