// FaultProfile: what goes wrong in a simulated world, and how often. A value, made before the world
// from a seed or by hand; one thread.
#pragma once

#include "base/random.h"
#include "reactor/ring_features.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace ringroom::sim {

/// Probabilities are 0 to 1 and asked at each event that they name. The defaults are a machine
/// that does everything at once and completely.
struct FaultProfile {
  double send_short = 0;              ///< a send takes a part though there is room for more
  double send_refused = 0;            ///< a send meets -EAGAIN though there is room
  double completion_late = 0;         ///< what is ready waits up to late_ns_max
  double completions_reordered = 0;   ///< a round of events happens in any order
  double receive_cut = 0;             ///< a receive gets less than there is, down to one byte
  double buffers_exhausted = 0;       ///< a receive meets -ENOBUFS though buffers are left
  double connection_reset = 0;        ///< the network resets a connection that receives
  double multishot_ended = 0;         ///< a multishot's completion comes without `more`
  double completions_overflowed = 0;  ///< a multishot finds the completion queue full
  double accept_late = 0;             ///< a connection waits in the backlog
  double close_late = 0;              ///< a close takes up to late_ns_max
  double wake_spurious = 0;           ///< a wait returns with nothing
  double time_jumped = 0;             ///< the clock runs on by up to jump_ns_max
  double move_failed = 0;             ///< a move ends with -ENFILE or -EOVERFLOW
  double write_failed = 0;            ///< a write ends with -EIO, in part or whole on the disk

  // No machine does this: for canaries, which prove that a test notices.
  double byte_corrupted = 0;   ///< a received byte is another one than was sent
  double completion_lost = 0;  ///< a receive's completion never comes, nor do its bytes
  double close_lost = 0;       ///< a close never happens
  double write_lost = 0;       ///< a write succeeds, and nothing is on the disk

  std::uint64_t late_ns_max = 2'000'000;
  std::uint64_t jump_ns_max = 1'000'000;
  std::size_t send_buffer_bytes = 256 * 1024;     ///< of each socket of the server
  std::size_t receive_buffer_bytes = 128 * 1024;  ///< of each socket of the server
  std::size_t client_window_bytes = 64 * 1024;    ///< what a client takes without reading
  std::size_t ring_buffer_bytes = 0;              ///< one provided buffer; 0: as the kernel's ring
  std::uint16_t ring_buffers = 0;                 ///< how many; 0: as the kernel's ring
  std::uint32_t completions_max = 0;              ///< entries of the CQ; 0: what the ring asks for
  reactor::Features features = {true, true, true, true};

  /// Each fault is off with probability 1/2, else as probable as the seed says; sizes likewise.
  static FaultProfile swarm(std::uint64_t seed);
  /// "send_short=0.3 receive_cut=0.05 …": what differs from the defaults.
  std::string describe() const;
};

}  // namespace ringroom::sim
