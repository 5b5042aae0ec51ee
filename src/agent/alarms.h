// Alarms: wakes the rooms of one shard whose jobs are due, by an index on disk and one timer for
// the earliest. Owned by the Runtime, on the shard's thread. After a long stop the rooms that are
// due come a few in a turn. In memory: what became of the rooms of this turn.
#pragma once

#include "base/timer_heap.h"
#include "store/alarm_index.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ringroom::detail {
class Host;
}

namespace ringroom::agent_runtime {

class Runtime;

class Alarms {
 public:
  /// `index`: the name of its database.
  Alarms(Runtime& runtime, std::string index);
  ~Alarms();
  Alarms(const Alarms&) = delete;
  Alarms& operator=(const Alarms&) = delete;

  /// The room is looked at then, or before. To be called before it writes that down. Throws
  /// SqlError.
  void cover(const detail::Host& host, std::int64_t time_ms);
  /// What the room was looked at for is done, and this is its next time. Written when the room's
  /// own part of the turn is.
  void settle(const detail::Host& host, std::optional<std::int64_t> time_ms);
  /// Has the timer come?
  bool owns(const base::Timer& timer) const { return &timer == &timer_; }
  void fire();

  bool has_settled() const { return !settled_.empty(); }
  /// When the rooms' writes of a turn are committed. True: there is something to commit.
  bool settle_all();
  /// The room's writes are lost: whatever it had is due again.
  void lose(const detail::Host& host);
  /// The disk has failed.
  void lose_all();
  /// Commits what is left, at the end of a shard.
  void stop();

 private:
  struct Settled {
    std::string_view class_name;
    std::string room;
    std::optional<std::int64_t> time_ms;
  };

  void look_at_due();
  void look_again_from(std::int64_t time_ms);
  void look_again_later();
  void arm();

  Runtime& runtime_;
  std::optional<store::AlarmIndex> index_;
  store::Alarm last_;                 // those up to this one are being looked at
  std::int64_t next_ms_ = INT64_MIN;  // nothing behind it is due before; until the first look: all
  base::Timer timer_;
  std::unordered_map<std::uint32_t, Settled> settled_;  // in this turn, by room index
};

}  // namespace ringroom::agent_runtime
