// Fleet: the shards of one server and the ways between them. Made by the server before its threads;
// start(), stop() and the statistics from any thread, run_shard() by each shard's own thread.
#pragma once

#include "ringroom/json.h"
#include "shard/config.h"
#include "shard/stats.h"
#include "store/folder.h"
#include "store/helper.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::shard {

class Shard;
struct Lane;

/// One room for /rooms.
struct RoomInfo {
  std::string class_name;
  std::string name;
  unsigned shard = 0;
  std::size_t connections = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::vector<std::string> awake;  ///< why, in the words of Lab's "why"; empty: asleep
};

/// What somebody outside wants to know of a room's database.
struct RoomQuery {
  std::string class_name;  ///< or its segment
  std::string room;
  std::string query;
};

class Fleet {
 public:
  /// `listeners`: one listening socket for each shard; `admin_listener`: -1 for none. The sockets
  /// stay the caller's.
  Fleet(const Config& config, std::vector<int> listeners, int admin_listener);
  ~Fleet();

  /// Takes the data folder, and brings its files up to date after a crash. Returns what prevents
  /// it, with advice. Before the first shard is made; blocks.
  std::string open_data(store::Helper::Worker worker = store::Helper::Worker::thread);
  /// Null: nothing is stored.
  store::Helper* storage_helper() { return data_ ? &data_->helper : nullptr; }

  unsigned shards() const { return static_cast<unsigned>(lanes_.size()); }
  const Config& config() const { return config_; }

  /// Makes shard `index` on the calling thread, which then runs and destroys it. Null if it can't
  /// start; `failure` says why, with advice. As soon as it is made, connections are accepted.
  std::unique_ptr<Shard> make_shard(unsigned index, std::string& failure);

  /// Asks every shard to close its connections with 1001 and return. Async-signal-safe.
  void stop();

  const Stats& stats(unsigned index) const;

  /// The home of a room: a stable hash of class and name.
  unsigned home_of(std::string_view class_name, std::string_view room) const;
  static unsigned home_of(std::string_view class_name, std::string_view room, unsigned shards);

  /// Which callback shard `index` is in: a number of its own for each, 0 outside of callbacks. The
  /// same number twice: it hasn't come back in between. Any thread.
  std::uint64_t callback_sequence(unsigned index) const;
  /// "ChatRoom/lobby", if that callback is still running; else empty. Any thread.
  std::string callback_label(unsigned index, std::uint64_t sequence) const;
  /// The callback that the calling thread is in, for a crash handler: async-signal-safe; empty
  /// outside of shards and callbacks.
  static std::string_view current_callback();

  /// What a shard shows to the others. Made with the fleet.
  Lane& lane(unsigned index) { return *lanes_[index]; }

  /// For the log: what the first shard's ring can do.
  std::string ring_description() const;

 private:
  struct Data {
    Data(const Config& config,
         store::FolderLock taken,
         store::Leftover leftover,
         store::Helper::Worker worker);
    store::FolderLock lock;
    store::Helper helper;
  };

  const Config& config_;
  std::unique_ptr<Data> data_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace ringroom::shard
