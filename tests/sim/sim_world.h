// SimWorld: a network and some kernels in one thread: connections, listeners, rings, one clock and
// one source of chance. What happens depends on the seed and the calls alone. Made by a test before
// any Ring; while it lives, Ring::make() makes simulated rings in it.
#pragma once

#include "base/random.h"
#include "faults.h"
#include "reactor/ring.h"
#include "sim_socket.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::sim {

class SimRing;
class SimWorld;

/// A client's end of one connection. Copies are the same client.
class SimClient {
 public:
  SimClient() = default;
  SimClient(SimWorld& world, std::shared_ptr<SimSocket> socket)
      : world_(&world), socket_(std::move(socket)) {}

  /// Never refused: what the server's receive buffer doesn't take waits at the client.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// What has arrived, in order.
  std::vector<std::byte> read(std::size_t bytes_max = SIZE_MAX);
  std::string read_text(std::size_t bytes_max = SIZE_MAX);
  /// FIN behind what was written; reading goes on.
  void close_write();
  /// close(2): FIN; whatever the server sends from now on is answered by RST.
  void close();
  /// RST; chance decides how much of what the server has not read is lost.
  void reset();
  /// How many bytes are taken without a read(). 0: the slowest reader.
  void set_receive_window(std::size_t bytes);
  void stop_reading() { set_receive_window(0); }

  /// All was read, and nothing more will come.
  bool saw_fin() const { return socket_->client_saw_fin(); }
  bool saw_reset() const { return socket_->client_saw_reset(); }
  /// The reset was the network's, neither the server's nor the client's.
  bool was_cut() const { return socket_->was_cut(); }
  bool is_closed() const { return saw_fin() || saw_reset(); }
  /// The server's side has no file for it any more.
  bool is_closed_by_server() const { return socket_->is_closed_by_server(); }
  std::size_t unsent_bytes() const { return socket_->client_unsent_bytes(); }
  std::size_t unread_bytes() const { return socket_->client_unread_bytes(); }
  const std::string& address() const { return socket_->client_address(); }

 private:
  SimWorld* world_ = nullptr;
  std::shared_ptr<SimSocket> socket_;
};

class SimWorld {
 public:
  explicit SimWorld(std::uint64_t seed, const FaultProfile& faults = {});
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  std::uint64_t seed() const { return seed_; }
  const FaultProfile& faults() const { return faults_; }
  /// From now on these, as a test that wants one fault at one moment needs it.
  void set_faults(const FaultProfile& faults) { faults_ = faults; }

  // ---- The network.

  /// A listening socket; the number is no descriptor of this process.
  int listen();
  SimClient connect(int listener);
  /// Connections that no ring has accepted yet.
  std::size_t backlog(int listener) const;
  /// Where connections that rings make arrive: the far end. It says whether it takes them.
  void set_remote(std::function<bool(SimClient)> remote) { remote_ = std::move(remote); }

  // ---- The clock: a wait jumps to the next event or deadline once no ring has anything to do.

  std::uint64_t now_ns() const { return now_ns_; }
  void advance(std::uint64_t nanoseconds) { now_ns_ += nanoseconds; }
  /// Somebody sets the wall clock so much forward, or back from where it started.
  void set_wall_clock(std::int64_t offset_ms) { wall_offset_ms_ = offset_ms; }
  std::int64_t wall_offset_ms() const { return wall_offset_ms_; }
  /// Waits don't jump beyond this moment; they return with nothing there instead.
  void limit_time(std::uint64_t until_ns) { time_limit_ns_ = until_ns; }
  /// The far end does this at that moment, as soon as a ring waits.
  void at(std::uint64_t moment_ns, std::function<void()> what);
  /// No ring has anything to do before the time limit.
  bool is_quiet() const;

  /// Called while a ring sleeps in a wait, with its descriptor: what other threads would do then,
  /// such as turns of other shards. Not called again for a wait in there.
  void set_while_waiting(std::function<void(int)> others) { while_waiting_ = std::move(others); }

  // ---- What a test looks at.

  std::size_t rings() const { return rings_.size(); }
  /// Of all rings together.
  std::size_t files_open() const;
  std::size_t requests_armed() const;
  std::size_t buffer_users() const;
  std::uint64_t completions_total() const { return completions_total_; }

  // ---- For the simulated kernel.

  static SimWorld& current();
  bool chance(double probability);
  /// 0 to below `bound`.
  std::uint64_t below(std::uint64_t bound);
  /// Now, or up to late_ns_max later with the given probability.
  std::uint64_t moment(double late_probability);
  std::deque<std::shared_ptr<SimSocket>>* backlog_of(int listener);
  std::shared_ptr<SimSocket> make_socket();
  bool reach_remote(const std::shared_ptr<SimSocket>& socket);
  void run_due();
  /// A ring waits for so long, whatever is there.
  void pass(std::uint64_t nanoseconds);
  int add_ring(SimRing& ring);
  void remove_ring(SimRing& ring);
  SimRing* ring_of(int descriptor);
  /// A ring waits, and found nothing.
  void run_others(SimRing& waiting);
  void let_time_pass();
  /// Counts it, and prints it if RINGROOM_SIM_TRACE is set.
  void note_completion(int ring, const reactor::Completion& completion);
  /// The same for requests; `kind` is a SimRing::Kind.
  void note_request(int ring, int kind, reactor::Tag tag, std::size_t bytes) const;
  /// The code under test broke a rule of ring.h: says which and the seed, and aborts.
  [[noreturn]] void violation(std::string_view rule) const;

 private:
  static constexpr int first_listener = 1'000'000;
  static constexpr int first_ring = 2'000'000;
  std::uint64_t next_moment_ns() const;

  std::uint64_t seed_;
  FaultProfile faults_;
  base::Random random_;
  std::uint64_t now_ns_ = 1'000'000'000;
  std::int64_t wall_offset_ms_ = 0;
  std::uint64_t time_limit_ns_ = UINT64_MAX;
  std::uint64_t completions_total_ = 0;
  std::uint32_t clients_total_ = 0;
  std::map<int, std::deque<std::shared_ptr<SimSocket>>> listeners_;
  std::map<int, SimRing*> rings_;
  int next_ring_ = first_ring;
  std::function<void(int)> while_waiting_;
  std::function<bool(SimClient)> remote_;
  std::multimap<std::uint64_t, std::function<void()>> moments_;
  bool others_run_ = false;
  bool traced_ = false;
  SimWorld* outer_;
};

}  // namespace ringroom::sim
