// The kernel ring's private parts, shared by its setup (ring_setup.cc) and its work
// (ring_uring.cc).
#pragma once

#include "reactor/recv_buffers.h"
#include "reactor/ring.h"
#include "reactor/uapi.h"

#include <deque>
#include <memory>
#include <vector>

namespace ringroom::reactor {

struct Ring::Body {
  Body() = default;
  ~Body();
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  /// "" or why there is no ring.
  std::string set_up(const RingOptions& options);

  io_uring_sqe* next_sqe();
  io_uring_sqe* prepare_receive(std::uint32_t file, Tag tag);
  void submit();
  void wait(std::uint64_t timeout_ns, bool forever);
  void wait_for_more(std::uint64_t timeout_ns, bool forever, std::uint64_t gather_ns);
  void drain(std::vector<Completion>& completions);
  bool has_more() const;
  void forget_submitted();

  io_uring ring{};
  bool ring_made = false;
  Features features;
  std::uint32_t files_max = 0;
  RecvBuffers buffers;
  bool starved = false;   // a receive met -ENOBUFS and no buffer has come back since
  bool refilled = false;  // one has
  std::uint64_t exhausted_total = 0;

  // What SENDMSG requests point at until they are submitted.
  std::deque<msghdr> gathered_headers;
  std::deque<std::vector<iovec>> gathered_pieces;
  // The same for CONNECT requests.
  std::deque<base::Address> servers;
  // Completions met outside of reap(), in order.
  std::vector<Completion> stashed;
};

}  // namespace ringroom::reactor
