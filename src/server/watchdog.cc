#include "server/watchdog.h"

#include "base/log.h"
#include "base/values.h"
#include "shard/lane.h"

namespace ringroom::server {

void Watchdog::look(Clock::time_point now) {
  for (unsigned i = 0; i < fleet_.shards(); ++i) {
    Seen& seen = seen_[i];
    const std::uint64_t sequence = fleet_.callback_sequence(i);
    if (sequence == seen.sequence) {
      const bool is_slow = sequence != 0 && now - seen.since >= fleet_.config().slow_callback;
      if (is_slow && seen.reported.empty()) report(i, seen);
      continue;
    }
    if (!seen.reported.empty()) {
      const auto held = std::chrono::duration_cast<std::chrono::milliseconds>(now - seen.since);
      base::log_warn("the callback of " + seen.reported + " is back after about " +
                     base::text_of(held));
    }
    seen = {sequence, now, {}};
  }
}

void Watchdog::report(unsigned shard, Seen& seen) {
  const std::string label = fleet_.callback_label(shard, seen.sequence);
  if (label.empty()) return;  // it came back just now
  seen.reported = label;
  fleet_.lane(shard).stats.callbacks_slow_total.add(1);
  base::log_warn("a callback of " + label + " holds shard " + std::to_string(shard) +
                 " for more than " + base::text_of(fleet_.config().slow_callback) +
                 ": nothing else runs there meanwhile");
}

}  // namespace ringroom::server
