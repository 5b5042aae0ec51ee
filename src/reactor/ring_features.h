// The optional features of the kernel's ring that we use when they are there, and their names for
// --ring-features and the log. Required ones are no features: without them there is no ring. A
// value; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::reactor {

struct Features {
  bool incremental_buffers = false;  ///< IOU_PBUF_RING_INC, Linux 6.12; else 16 KiB buffers
  bool min_wait = false;             ///< IORING_FEAT_MIN_TIMEOUT, Linux 6.12; else plain waits
  bool no_sq_array = false;          ///< IORING_SETUP_NO_SQARRAY, Linux 6.6 and liburing 2.5
  bool fixed_fd_install = false;  ///< IORING_OP_FIXED_FD_INSTALL, Linux 6.8; else no peer address

  friend bool operator==(const Features&, const Features&) = default;
};

/// The names in the order of the struct: incremental-buffers, min-wait, no-sq-array,
/// fixed-fd-install.
std::span<const std::string_view> feature_names();

/// Those of `available` that `names` lists. nullopt if a name is unknown.
std::optional<Features> restrict_features(const Features& available,
                                          const std::vector<std::string>& names);

/// "incremental-buffers, min-wait"; "none" for none.
std::string describe(const Features& features);

}  // namespace ringroom::reactor
