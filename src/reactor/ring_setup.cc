// Making a ring: what must be there is asked for by using it, never by the kernel's version, and
// each thing that can be missing has a sentence of its own for the operator.
#include "reactor/ring_body.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ringroom::reactor {

namespace {

std::string errno_text(int error) {
  return std::strerror(error);
}

bool sysctl_forbids() {
  std::ifstream file("/proc/sys/kernel/io_uring_disabled");
  int value = 0;
  return (file >> value) && (value == 2 || (value == 1 && geteuid() != 0));
}

std::string setup_failure(int error) {
  switch (error) {
    case EPERM:
      if (sysctl_forbids()) {
        return "io_uring is switched off by the sysctl kernel.io_uring_disabled. Allow it with "
               "'sysctl kernel.io_uring_disabled=0', or run as a member of the group in "
               "kernel.io_uring_group if the value is 1.";
      }
      [[fallthrough]];
    case EACCES:
      return "io_uring is forbidden here, as a container's seccomp profile does. Start the "
             "container with the profile of the README (docker run --security-opt "
             "seccomp=tools/ringroom-seccomp.json), which permits io_uring_setup, io_uring_enter "
             "and io_uring_register.";
    case ENOSYS:
      return "this system has no io_uring: either the kernel was built without CONFIG_IO_URING, or "
             "a sandbox (gVisor, an old container runtime) hides it. Ringroom needs Linux 6.1 or "
             "later outside of such a sandbox.";
    case EINVAL:
      return "this kernel is too old: its io_uring lacks SINGLE_ISSUER and DEFER_TASKRUN. Ringroom "
             "needs Linux 6.1 or later (Debian 12's own kernel will do).";
    case ENOMEM:
      return "no memory may be locked for the ring: raise RLIMIT_MEMLOCK (ulimit -l), 8 MiB are "
             "enough for each shard.";
    default: return "io_uring_setup failed: " + errno_text(error) + ".";
  }
}

std::string files_failure(int error, std::uint32_t files) {
  if (error == EMFILE) {
    return "RLIMIT_NOFILE is too low for a table of " + std::to_string(files) +
           " direct descriptors: raise it with 'ulimit -n', LimitNOFILE= in a systemd unit, or "
           "--ulimit nofile= of a container.";
  }
  return "the table of direct descriptors can't be registered: " + errno_text(error) +
         ". Ringroom needs Linux 6.1 or later.";
}

bool opcode_supported(io_uring* ring, unsigned opcode) {
  io_uring_probe* probe = io_uring_get_probe_ring(ring);
  if (probe == nullptr) return false;
  const bool supported = probe->last_op >= opcode && probe->ops_len > opcode &&
                         (probe->ops[opcode].flags & IO_URING_OP_SUPPORTED) != 0;
  io_uring_free_probe(probe);
  return supported;
}

// Multishot receive into provided buffers, tried on a socket pair.
std::string try_required_operations(io_uring* ring, RecvBuffers& buffers) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
    return "socketpair failed: " + errno_text(errno);
  io_uring_sqe* sqe = io_uring_get_sqe(ring);
  io_uring_prep_recv_multishot(sqe, pair[0], nullptr, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = RecvBuffers::group;
  std::string failure;
  io_uring_cqe* cqe = nullptr;
  __kernel_timespec second{.tv_sec = 1, .tv_nsec = 0};
  if (write(pair[1], "?", 1) != 1 ||
      io_uring_submit_and_wait_timeout(ring, &cqe, 1, &second, nullptr) < 0 || cqe == nullptr ||
      cqe->res != 1 || (cqe->flags & IORING_CQE_F_BUFFER) == 0) {
    failure =
        "this kernel is too old: multishot receive into a buffer ring doesn't work. Ringroom "
        "needs Linux 6.1 or later.";
  } else {
    buffers.take(cqe->flags, 1);
    buffers.release(static_cast<std::uint16_t>(cqe->flags >> IORING_CQE_BUFFER_SHIFT));
  }
  if (cqe != nullptr) io_uring_cqe_seen(ring, cqe);
  close(pair[1]);  // ends the multishot receive with 0
  if (failure.empty()) {
    io_uring_wait_cqe_timeout(ring, &cqe, &second);
    if (cqe != nullptr) {
      if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
        buffers.take(cqe->flags, 0);
        buffers.release(static_cast<std::uint16_t>(cqe->flags >> IORING_CQE_BUFFER_SHIFT));
      }
      io_uring_cqe_seen(ring, cqe);
    }
  }
  close(pair[0]);
  return failure;
}

}  // namespace

Ring::Body::~Body() {
  if (ring_made) io_uring_queue_exit(&ring);
}

std::string Ring::Body::set_up(const RingOptions& options) {
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                     IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  parameters.cq_entries = options.completions_max;
  Features allowed{true, true, true, true};
  if (options.features_allowed) {
    const auto restricted = restrict_features(allowed, *options.features_allowed);
    if (!restricted) {
      std::string known;
      for (const std::string_view name : feature_names()) known += " " + std::string(name);
      return "--ring-features names an unknown feature. Known are:" + known + ".";
    }
    allowed = *restricted;
  }

  io_uring_params tried = parameters;
  int result = -EINVAL;
  if (allowed.no_sq_array && uapi::setup_no_sq_array != 0) {
    tried.flags |= uapi::setup_no_sq_array;
    result = io_uring_queue_init_params(options.submissions_max, &ring, &tried);
    features.no_sq_array = result == 0;
  }
  if (result == -EINVAL) {
    tried = parameters;
    result = io_uring_queue_init_params(options.submissions_max, &ring, &tried);
  }
  if (result < 0) return setup_failure(-result);
  ring_made = true;
  if (io_uring_register_ring_fd(&ring) != 1) return setup_failure(EINVAL);

  files_max = options.files_max;
  result = io_uring_register_files_sparse(&ring, files_max);
  if (result < 0) return files_failure(-result, files_max);

  features.min_wait = allowed.min_wait && (ring.features & uapi::feature_min_timeout) != 0;
  features.fixed_fd_install =
      allowed.fixed_fd_install && opcode_supported(&ring, uapi::opcode_fixed_fd_install);
  if (!opcode_supported(&ring, IORING_OP_MSG_RING)) return setup_failure(EINVAL);

  result = allowed.incremental_buffers ? buffers.set_up_incremental(&ring, options.receive_bytes)
                                       : -EINVAL;
  features.incremental_buffers = result == 0;
  if (result == -EINVAL) result = buffers.set_up_whole(&ring);
  if (result < 0)
    return "the ring's receive buffers can't be registered: " + errno_text(-result) + ".";
  return try_required_operations(&ring, buffers);
}

std::unique_ptr<Ring> Ring::make(const RingOptions& options, RingFailure& failure) {
  auto body = std::make_unique<Body>();
  failure.message = body->set_up(options);
  if (!failure.message.empty()) return nullptr;
  return std::make_unique<Ring>(std::move(body));
}

}  // namespace ringroom::reactor
