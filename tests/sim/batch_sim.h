// BatchSimulation: one story of queues and envelopes on whole shards in a world full of faults:
// agents queue, send, broadcast, flush, fall asleep and close in any order, clients read slowly,
// leave in every way, and everyone must have got each reliable message once and in order, the
// newest of each key, and a gap marker for what the policy dropped. All of it follows from the
// seed. Made by a test; one thread.
#pragma once

#include "base/random.h"
#include "codec/envelope/envelope.h"
#include "faults.h"
#include "received_batch.h"
#include "shard/config.h"
#include "sim_batcher.h"
#include "sim_fleet.h"
#include "sim_websocket.h"
#include "sim_world.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace ringroom::sim {

class BatchSimulation {
 public:
  BatchSimulation(std::uint64_t seed, const FaultProfile& faults);

  /// Plays it; returns what went wrong, in words.
  std::vector<std::string> run();
  std::string describe() const;

  /// What the stories together must have seen, or they prove little.
  struct Seen {
    std::uint64_t envelopes = 0;
    std::uint64_t conflated = 0;  // messages whose key had a newer value
    std::uint64_t missed = 0;     // told by gap markers
    std::uint64_t woken = 0;      // agents made again
    std::uint64_t given_up = 0;   // 1013
  };
  const Seen& seen() const { return seen_; }

 private:
  enum class Leaves : std::uint8_t { by_close, by_kick, by_reset, by_vanishing, never };

  struct Client {
    std::string id;
    std::string room;
    BatchFormat format;
    Leaves leaves;
    bool leaves_early;  // not only when all have said everything
    double read_probability;
    std::size_t scripts_left;
    std::vector<std::string> scripts;  // that were sent
    std::uint64_t envelope_number = 0;
    bool left = false;
    SimWebSocket socket;
  };

  // How far a client's messages have been held against what it was owed.
  struct Walk {
    const std::vector<Dispatch>& owed;
    std::size_t next = 0;
    std::uint64_t sequence = 0;
    std::uint64_t told = 0;  // by gap markers
    std::uint64_t reliable_missing = 0;
    std::uint64_t plain_missing = 0;
    std::set<char> newest{};  // keys whose newest value so far didn't come
  };

  static shard::Config make_config(base::Random& random, const FaultProfile& faults);
  void add_clients();
  std::string draw_script();
  void send_scripts(Client& client);
  std::string wrap(Client& client, const std::vector<std::string>& scripts, bool packed);
  void leave(Client& client);
  void play();
  void finish();
  void stop();
  void check(const Client& client);
  void check_scripts(const Client& client);
  std::string step(Walk& walk, const ReceivedBatch& batch);
  void skip(Walk& walk, std::size_t end);
  std::string step_to_end(Walk& walk);
  bool must_get_everything(const Client& client) const;
  void expect(bool holds, const Client& client, const std::string& what);
  void run_fleet(std::uint64_t nanoseconds);
  bool chance(double probability);
  std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }

  std::uint64_t seed_;
  base::Random random_;
  SimWorld world_;
  Journal journal_;
  Dispatches dispatches_;
  shard::Config config_;
  std::unique_ptr<SimFleet> fleet_;
  std::string room_class_;
  bool tight_;
  double flood_ = 0;  // how probable it is that a script is a long one
  std::vector<std::unique_ptr<Client>> clients_;
  codec::envelope::JsonReader json_;
  Seen seen_;
  std::vector<std::string> faults_;
};

}  // namespace ringroom::sim
