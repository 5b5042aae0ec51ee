// The kernel's ring at work: requests in, completions out.
#include "base/assert.h"
#include "reactor/ring_body.h"

#include <algorithm>
#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ringroom::reactor {

namespace {

constexpr int send_flags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL;
constexpr unsigned gather_completions = 64;
// A reap that has so many goes to work on them first.
constexpr unsigned drained_max = 4096;
constexpr Tag peer_address_tag = Tag::with_payload(Op::ignored, 1);

std::uint64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

__kernel_timespec to_timespec(std::uint64_t nanoseconds) {
  return {.tv_sec = static_cast<long long>(nanoseconds / 1'000'000'000U),
          .tv_nsec = static_cast<long long>(nanoseconds % 1'000'000'000U)};
}

// A socket of the process, before it has a place in the table; or -errno.
int make_socket(int family, const ConnectOptions& options) {
  const int made = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) return -errno;
  const int on = 1;
  setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (options.reset_on_close) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(made, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  if (!options.source) return made;
  // The port is chosen by the connect, when it only has to differ for the same server.
  setsockopt(made, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  if (bind(made, options.source->get(), options.source->bytes) == 0) return made;
  const int error = errno;
  ::close(made);
  return -error;
}

}  // namespace

// ---- Body

io_uring_sqe* Ring::Body::next_sqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  if (sqe == nullptr) [[unlikely]] {
    submit();
    sqe = io_uring_get_sqe(&ring);
    ASSERT(sqe != nullptr);
  }
  return sqe;
}

io_uring_sqe* Ring::Body::prepare_receive(std::uint32_t file, Tag tag) {
  io_uring_sqe* sqe = next_sqe();
  io_uring_prep_recv(sqe, static_cast<int>(file), nullptr, 0, 0);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  sqe->buf_group = RecvBuffers::group;
  io_uring_sqe_set_data64(sqe, tag.bits);
  return sqe;
}

void Ring::Body::submit() {
  while (io_uring_sq_ready(&ring) > 0) {
    const int result = io_uring_submit(&ring);
    // EBUSY, EAGAIN: the completion queue has overflowed or memory is short; make room.
    if (result == -EBUSY || result == -EAGAIN) {
      drain(stashed);
    } else {
      ASSERT(result >= 0 || result == -EINTR);
    }
  }
  forget_submitted();
}

void Ring::Body::forget_submitted() {
  gathered_headers.clear();
  gathered_pieces.clear();
  servers.clear();
}

void Ring::Body::wait(std::uint64_t timeout_ns, bool forever) {
  __kernel_timespec timeout = to_timespec(timeout_ns);
  io_uring_cqe* cqe = nullptr;
  const int result =
      io_uring_submit_and_wait_timeout(&ring, &cqe, 1, forever ? nullptr : &timeout, nullptr);
  ASSERT(result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN ||
         result == -EBUSY);
  submit();  // nothing, unless the wait ended before all was handed over
}

// Fewer, larger batches.
void Ring::Body::wait_for_more(std::uint64_t timeout_ns, bool forever, std::uint64_t gather_ns) {
  submit();
  __kernel_timespec timeout = to_timespec(timeout_ns);
  io_uring_getevents_arg argument{};
  argument.sigmask_sz = _NSIG / 8;
  argument.ts = forever ? 0 : reinterpret_cast<std::uintptr_t>(&timeout);
  static_assert(sizeof(argument) == 24);
  // min_wait_usec; `pad` in the header of liburing 2.3.
  // Rounded up: a wait that ends a moment before its deadline makes one more.
  const auto microseconds =
      static_cast<std::uint32_t>((std::min(gather_ns, timeout_ns) + 999) / 1000);
  __builtin_memcpy(reinterpret_cast<std::byte*>(&argument) + 12, &microseconds, 4);
  const int result =
      io_uring_enter2(static_cast<unsigned>(ring.enter_ring_fd), 0, gather_completions,
                      IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | uapi::enter_registered_ring,
                      reinterpret_cast<sigset_t*>(&argument), sizeof(argument));
  ASSERT(result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN ||
         result == -EBUSY);
}

void Ring::Body::drain(std::vector<Completion>& completions) {
  unsigned taken = 0;
  unsigned passes = 0;
  do {
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring, head, cqe) {
      ++seen;
      Completion completion{.tag = {cqe->user_data},
                            .result = cqe->res,
                            .more = (cqe->flags & IORING_CQE_F_MORE) != 0};
      if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
        const auto bytes = static_cast<std::size_t>(std::max(cqe->res, 0));
        completion.data = buffers.take(cqe->flags, bytes);
        completion.buffer = static_cast<std::uint16_t>(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        completion.has_buffer = bytes > 0;
        if (bytes == 0 && buffers.release(completion.buffer)) refilled = starved;
      } else if (cqe->res == -ENOBUFS) {
        starved = true;
        ++exhausted_total;
        // Some came back since the kernel looked; nobody may wait for them to come back again.
        if (buffers.kernel_has_any()) refilled = true;
      }
      completions.push_back(completion);
    }
    io_uring_cq_advance(&ring, seen);
    taken += seen;
    // The flag may be older than the last look: who adds work sets it a moment later.
    if (seen == 0 && passes > 0) break;
    ++passes;
  } while (taken < drained_max && has_more() && io_uring_get_events(&ring) >= 0);
}

// What didn't fit waits in the kernel until it is asked again; and Linux 6.13 and later run twenty
// pieces of deferred work at a time, where a turn wants all that has come: one send then carries
// what many have said.
bool Ring::Body::has_more() const {
  const unsigned flags = __atomic_load_n(ring.sq.kflags, __ATOMIC_RELAXED);
  return (flags & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN)) != 0;
}

// ---- Ring

Ring::Ring(std::unique_ptr<Body> body) : body_(std::move(body)) {}
Ring::~Ring() = default;

const Features& Ring::features() const {
  return body_->features;
}
std::uint32_t Ring::files_max() const {
  return body_->files_max;
}
int Ring::descriptor() const {
  return body_->ring.ring_fd;
}

void Ring::accept(int listener, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_multishot_accept_direct(sqe, listener, nullptr, nullptr, 0);
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::accept_once(int listener, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_accept(sqe, listener, nullptr, nullptr, 0);
  sqe->file_index = IORING_FILE_INDEX_ALLOC;  // liburing 2.3's prep_accept_direct can't say so
  io_uring_sqe_set_data64(sqe, tag.bits);
}

int Ring::connect(std::uint32_t file,
                  const base::Address& server,
                  const ConnectOptions& options,
                  Tag tag) {
  const int made = make_socket(server.family(), options);
  if (made < 0) return made;
  const int installed = io_uring_register_files_update(&body_->ring, file, &made, 1);
  ::close(made);
  if (installed != 1) return installed < 0 ? installed : -ENFILE;
  io_uring_sqe* sqe = body_->next_sqe();
  const base::Address& kept = body_->servers.emplace_back(server);
  io_uring_prep_connect(sqe, static_cast<int>(file), kept.get(), kept.bytes);
  sqe->flags |= IOSQE_FIXED_FILE;
  io_uring_sqe_set_data64(sqe, tag.bits);
  return 0;
}

void Ring::receive_once(std::uint32_t file, Tag tag) {
  io_uring_sqe* sqe = body_->prepare_receive(file, tag);
  sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
}

void Ring::receive_ready(std::uint32_t file, Tag tag) {
  body_->prepare_receive(file, tag);
}

void Ring::receive(std::uint32_t file, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_recv_multishot(sqe, static_cast<int>(file), nullptr, 0, 0);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
  sqe->buf_group = RecvBuffers::group;
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::send(std::uint32_t file, std::span<const std::byte> bytes, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_send(sqe, static_cast<int>(file), bytes.data(), bytes.size(), send_flags);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::send_gathered(std::uint32_t file, std::span<const iovec> pieces, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  std::vector<iovec>& kept = body_->gathered_pieces.emplace_back(pieces.begin(), pieces.end());
  msghdr& header = body_->gathered_headers.emplace_back();
  header.msg_iov = kept.data();
  header.msg_iovlen = kept.size();
  io_uring_prep_sendmsg(sqe, static_cast<int>(file), &header, send_flags);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::send_rest(std::uint32_t file, std::span<const std::byte> bytes, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_send(sqe, static_cast<int>(file), bytes.data(), bytes.size(),
                     MSG_NOSIGNAL | MSG_WAITALL);
  sqe->flags |= IOSQE_FIXED_FILE;
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::poll(std::uint32_t file, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_poll_add(sqe, static_cast<int>(file), POLLIN | POLLRDHUP);
  sqe->flags |= IOSQE_FIXED_FILE;
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::shut_down(std::uint32_t file, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_shutdown(sqe, static_cast<int>(file), SHUT_WR);
  sqe->flags |= IOSQE_FIXED_FILE;
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::close(std::uint32_t file, Tag tag) {
  if (io_uring_sq_space_left(&body_->ring) < 2) body_->submit();  // a link doesn't span submits
  io_uring_sqe* cancel = body_->next_sqe();
  io_uring_prep_cancel_fd(cancel, static_cast<int>(file),
                          IORING_ASYNC_CANCEL_FD_FIXED | IORING_ASYNC_CANCEL_ALL);
  cancel->flags |= IOSQE_IO_HARDLINK | IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(cancel, Tag::of(Op::ignored, 0).bits);
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_close_direct(sqe, file);
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::close(std::uint32_t file, std::span<const Tag> requests, Tag tag) {
  if (io_uring_sq_space_left(&body_->ring) < requests.size() + 1) body_->submit();
  for (const Tag request : requests) {
    io_uring_sqe* sqe = body_->next_sqe();
    io_uring_prep_cancel64(sqe, request.bits, 0);
    sqe->flags |= IOSQE_IO_HARDLINK | IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, Tag::of(Op::ignored, 0).bits);
  }
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_close_direct(sqe, file);
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::cancel(Tag request) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_cancel64(sqe, request.bits, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, Tag::of(Op::ignored, 0).bits);
}

void Ring::move_file(std::uint32_t file, int target_descriptor, Tag target_tag, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_msg_ring(sqe, target_descriptor, 0, target_tag.bits, 0);
  sqe->addr = IORING_MSG_SEND_FD;
  sqe->addr3 = file;
  sqe->file_index = IORING_FILE_INDEX_ALLOC;
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::wake(int target_descriptor, Tag target_tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_msg_ring(sqe, target_descriptor, 0, target_tag.bits, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, Tag::of(Op::ignored, 0).bits);
}

void Ring::write_durably(int descriptor,
                         std::span<const std::byte> bytes,
                         std::uint64_t offset,
                         Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_write(sqe, descriptor, bytes.data(), static_cast<unsigned>(bytes.size()), offset);
  sqe->rw_flags = RWF_DSYNC;
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::open_file(const char* path, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_openat(sqe, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::read_event(int event, std::uint64_t* counter, Tag tag) {
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_read(sqe, event, counter, sizeof(*counter), 0);
  io_uring_sqe_set_data64(sqe, tag.bits);
}

void Ring::submit_and_wait(std::uint64_t deadline_ns, std::uint64_t gather_ns) {
  const std::uint64_t now = deadline_ns == 0 || deadline_ns == UINT64_MAX ? 0 : now_ns();
  if (deadline_ns <= now || !body_->stashed.empty()) {
    io_uring_submit_and_get_events(&body_->ring);
    body_->submit();
    return;
  }
  const bool forever = deadline_ns == UINT64_MAX;
  if (gather_ns > 0 && body_->features.min_wait) {
    body_->wait_for_more(deadline_ns - now, forever, gather_ns);
  } else {
    body_->wait(deadline_ns - now, forever);
  }
}

void Ring::submit() {
  body_->submit();
}

void Ring::reap(std::vector<Completion>& completions) {
  if (!body_->stashed.empty()) [[unlikely]] {
    completions.insert(completions.end(), body_->stashed.begin(), body_->stashed.end());
    body_->stashed.clear();
  }
  body_->drain(completions);
}

void Ring::hold(std::uint16_t buffer) {
  body_->buffers.hold(buffer);
}

void Ring::release(std::uint16_t buffer) {
  if (body_->buffers.release(buffer) && body_->starved) body_->refilled = true;
}

bool Ring::take_refilled() {
  if (!body_->refilled) return false;
  body_->refilled = false;
  body_->starved = false;
  return true;
}

std::uint64_t Ring::buffers_exhausted_total() const {
  return body_->exhausted_total;
}

std::string Ring::peer_address(std::uint32_t file) {
  if (!body_->features.fixed_fd_install) return {};
  io_uring_sqe* sqe = body_->next_sqe();
  io_uring_prep_rw(static_cast<int>(uapi::opcode_fixed_fd_install), sqe, static_cast<int>(file),
                   nullptr, 0, 0);
  sqe->flags |= IOSQE_FIXED_FILE;
  io_uring_sqe_set_data64(sqe, peer_address_tag.bits);
  body_->submit();
  body_->drain(body_->stashed);
  auto found = std::find_if(body_->stashed.begin(), body_->stashed.end(), [](const Completion& c) {
    return c.tag.bits == peer_address_tag.bits;
  });
  if (found == body_->stashed.end()) return {};
  const int installed = found->result;
  body_->stashed.erase(found);
  if (installed < 0) return {};
  base::Address address{.bytes = sizeof(sockaddr_storage)};
  std::string text;
  if (getpeername(installed, address.get(), &address.bytes) == 0) text = address.text();
  ::close(installed);
  return text;
}

std::uint64_t Ring::now_ns() const {
  return clock_ns(CLOCK_MONOTONIC);
}

std::int64_t Ring::wall_ms() const {
  return static_cast<std::int64_t>(clock_ns(CLOCK_REALTIME) / 1'000'000U);
}

}  // namespace ringroom::reactor
