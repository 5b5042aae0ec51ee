// Constants of the kernel's interface that the liburing of Debian 12 (2.3) doesn't know yet. Only
// what the kernel alone interprets: a flag that liburing itself must understand (NO_SQARRAY) is
// used only where its own header has it. From include/uapi/linux/io_uring.h.
#pragma once

#include <liburing.h>

namespace ringroom::reactor::uapi {

inline constexpr unsigned buffer_ring_incremental = 2;       // IOU_PBUF_RING_INC, 6.12
inline constexpr unsigned completion_buffer_more = 1U << 4;  // IORING_CQE_F_BUF_MORE, 6.12
inline constexpr unsigned feature_min_timeout = 1U << 15;    // IORING_FEAT_MIN_TIMEOUT, 6.12
inline constexpr unsigned opcode_fixed_fd_install = 54;      // IORING_OP_FIXED_FD_INSTALL, 6.8
inline constexpr unsigned enter_registered_ring = 1U << 4;   // IORING_ENTER_REGISTERED_RING, 5.18

#ifdef IORING_SETUP_NO_SQARRAY
inline constexpr unsigned setup_no_sq_array = IORING_SETUP_NO_SQARRAY;
#else
inline constexpr unsigned setup_no_sq_array = 0;
#endif

}  // namespace ringroom::reactor::uapi
