// Lane: what one shard shows to the others and to the main thread: its mailboxes, its ring's name,
// how full its table is, its statistics. Owned by the Fleet; each member says who writes it.
#pragma once

#include "agent/watch.h"
#include "base/spsc_queue.h"
#include "shard/stats.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace ringroom::shard {

class Shard;

/// A message between shards. Opened, and owned, by the one it is for.
class Letter {
 public:
  virtual ~Letter() = default;
  virtual void open(Shard& shard) = 0;
};

struct Lane {
  using Mailbox = base::SpscQueue<Letter*, 1024>;

  explicit Lane(unsigned shards);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  Stats stats;                                // the shard
  agent_runtime::Watch watch;                 // the shard
  std::atomic<std::uint32_t> files_used = 0;  // whoever brings a socket, and the shard
  std::uint32_t files_max = 0;                // the shard, before `ready`
  int ring_descriptor = -1;                   // the shard, before `ready`
  std::string ring_description;               // the shard, before `ready`
  std::atomic<bool> ready = false;            // the shard
  std::atomic<bool> asleep = false;           // the shard
  int stop_event = -1;                        // an eventfd, written by Fleet::stop
  int listener = -1;
  int admin_listener = -1;
  std::vector<std::unique_ptr<Mailbox>> inboxes;  // by the sender's index; pushed by the sender
};

}  // namespace ringroom::shard
