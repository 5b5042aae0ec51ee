// Ring: one shard's io_uring, its direct descriptors and its receive buffers, and its clock. Made
// and used by the shard's own thread only (SINGLE_ISSUER). One header, two bodies chosen at link
// time: ring_uring.cc is the kernel's, the simulator's lives with the tests. Bounded by
// RingOptions: so many sockets, so many bytes of receive buffers.
//
// The rules of use, each measured (see README.md):
// - at most one send in flight per file; two overtake each other.
// - the bytes of send() and send_gathered() are read inside the next submit; whoever queued them
//   may reuse them after the reap() that follows it, unless a completion of that send is in it.
// - a completion of a receive holds its buffer: give it back with release().
#pragma once

#include "base/address.h"
#include "reactor/op_tag.h"
#include "reactor/ring_features.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/uio.h>

namespace ringroom::reactor {

struct RingOptions {
  std::uint32_t files_max = 20'000;        ///< entries of the table of direct descriptors
  std::uint32_t submissions_max = 4'096;   ///< SQ entries; a power of two
  std::uint32_t completions_max = 65'536;  ///< CQ entries; four times the largest burst
  /// Of receive buffers where they are filled bit by bit, else 2 MiB; a power of two, 64 KiB or
  /// more. What is no larger than what comes in a turn stays in the core's cache.
  std::uint32_t receive_bytes = 2U << 20U;
  std::optional<std::vector<std::string>> features_allowed;  ///< nullopt: all
};

/// Why there is no ring, in words for the operator, with advice.
struct RingFailure {
  std::string message;
};

struct Completion {
  Tag tag;
  std::int32_t result = 0;   ///< as the operation's man page says; negative: -errno
  std::uint16_t buffer = 0;  ///< of a receive with data
  bool has_buffer = false;
  bool more = false;          ///< the request goes on (IORING_CQE_F_MORE)
  std::byte* data = nullptr;  ///< of a receive with data: `result` bytes, writable

  std::span<std::byte> bytes() const { return {data, static_cast<std::size_t>(result)}; }
};

/// How a socket that the ring makes is to be.
struct ConnectOptions {
  std::optional<base::Address> source;  ///< bound to this address; nullopt: the kernel chooses
  bool reset_on_close = false;          ///< a close sends RST and forgets what was not sent
};

class Ring {
 public:
  /// Makes the ring of the calling thread. The message of a failure names the remedy.
  static std::unique_ptr<Ring> make(const RingOptions& options, RingFailure& failure);
  struct Body;
  /// For make().
  explicit Ring(std::unique_ptr<Body> body);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  const Features& features() const;
  std::uint32_t files_max() const;
  /// What other rings name this one by in wake() and move_file().
  int descriptor() const;

  // ---- Queueing. Nothing reaches the kernel before a submit, except when the queue is full.

  /// Accepts connections of a listener into free direct descriptors until cancelled. Each gives a
  /// completion whose result is the file.
  void accept(int listener, Tag tag);
  /// Accepts one. For a table that is nearly full: the other one takes a whole burst before it can
  /// be told to stop, and loses what doesn't fit.
  void accept_once(int listener, Tag tag);
  /// Makes a TCP socket without delay (TCP_NODELAY) as `file`, which must be free, and connects it.
  /// Completes with 0 or -errno. A few system calls at once; returns 0, or -errno if there is no
  /// such socket, and then nothing completes.
  int connect(std::uint32_t file,
              const base::Address& server,
              const ConnectOptions& options,
              Tag tag);
  /// Receives once into a provided buffer.
  void receive_once(std::uint32_t file, Tag tag);
  /// The same for a file that poll() has found readable: completes inside the submit.
  void receive_ready(std::uint32_t file, Tag tag);
  /// Receives into provided buffers until cancelled or !more. Not more: arm again, unless the
  /// result is 0 (the peer is done) or an error other than -ENOBUFS.
  void receive(std::uint32_t file, Tag tag);
  /// Sends without waiting, and silently if all was taken. Otherwise completes with the bytes
  /// taken, -EAGAIN, or the connection's error.
  void send(std::uint32_t file, std::span<const std::byte> bytes, Tag tag);
  /// The same for several pieces. The array is copied, the bytes are not.
  void send_gathered(std::uint32_t file, std::span<const iovec> pieces, Tag tag);
  /// Sends all of it, waiting in the kernel; always completes. The bytes stay put until then.
  void send_rest(std::uint32_t file, std::span<const std::byte> bytes, Tag tag);
  /// Completes once when the file is readable or the peer is gone. For parked connections.
  void poll(std::uint32_t file, Tag tag);
  /// shutdown(SHUT_WR). Close the file only after this has completed: the kernel hands it to a
  /// worker, which looks the file up later, and would find another one that took its place.
  void shut_down(std::uint32_t file, Tag tag);
  /// Ends every request on the file, then closes it. Completes with `tag` when the file is free.
  /// Looks at all requests of the ring to find the file's.
  void close(std::uint32_t file, Tag tag);
  /// The same, for a file whose requests are known by their tags: found at once, however many
  /// others there are. One that isn't named keeps the socket open.
  void close(std::uint32_t file, std::span<const Tag> requests, Tag tag);
  /// Ends the request that was queued with `request`; that one completes with -ECANCELED, unless
  /// it was quicker.
  void cancel(Tag request);
  /// Gives the socket to another ring as one of its direct descriptors. On success a completion
  /// {target_tag, its file there} appears on that ring, and {tag, >= 0} here; the file here stays
  /// open and is to be closed. On failure {tag, -errno} here only.
  void move_file(std::uint32_t file, int target_descriptor, Tag target_tag, Tag tag);
  /// Makes a completion {target_tag, 0} appear on another ring.
  void wake(int target_descriptor, Tag target_tag);
  /// Writes to an ordinary file at `offset` and completes with the bytes written when they are on
  /// the medium (RWF_DSYNC). They stay put until then.
  void write_durably(int descriptor,
                     std::span<const std::byte> bytes,
                     std::uint64_t offset,
                     Tag tag);
  /// Opens an ordinary file for reading (openat(2)), and completes with an ordinary descriptor. The
  /// path stays put until then.
  void open_file(const char* path, Tag tag);
  /// Reads an eventfd into `counter`, which stays put until the completion.
  void read_event(int event, std::uint64_t* counter, Tag tag);

  // ---- The turn.

  /// Hands over what is queued and waits for a completion, until `deadline_ns` of now_ns() at
  /// most. 0: doesn't wait. For `gather_ns` nothing less than 64 completions ends the wait, nor a
  /// deadline behind it (min-wait; where the kernel has none, one completion is enough).
  void submit_and_wait(std::uint64_t deadline_ns, std::uint64_t gather_ns = 0);
  /// To gather for so long after a busy turn, since the next one is likely to be busy too.
  static constexpr std::uint64_t busy_gather_ns = 50'000;
  /// Hands over what is queued, to have it sent now.
  void submit();
  /// Appends all completions that are there. The order is the kernel's.
  void reap(std::vector<Completion>& completions);

  // ---- Receive buffers.

  /// One more user of the buffer that a completion came with.
  void hold(std::uint16_t buffer);
  /// One user less; the last one gives the bytes back to the kernel.
  void release(std::uint16_t buffer);
  /// True once after buffers came back while requests had met -ENOBUFS.
  bool take_refilled();
  /// How often the kernel found no buffer.
  std::uint64_t buffers_exhausted_total() const;

  // ---- The machine, behind the same seam as the kernel.

  /// Address and port of a file's peer, "127.0.0.1:4711"; empty if the kernel can't tell. A
  /// system call or two: for the cold path.
  std::string peer_address(std::uint32_t file);
  /// CLOCK_MONOTONIC.
  std::uint64_t now_ns() const;
  /// CLOCK_REALTIME.
  std::int64_t wall_ms() const;

 private:
  std::unique_ptr<Body> body_;
};

}  // namespace ringroom::reactor
