// Listeners: the listening sockets of a server. Made and owned by the main thread; the shards
// accept on them. Their TCP options are inherited by every accepted socket, so that a connection
// costs no call for them. Bounded by one for each shard and one for the admin address.
#pragma once

#include "base/address.h"

#include <chrono>
#include <string>
#include <vector>

namespace ringroom::server {

/// A socket that closes itself.
class Listener {
 public:
  Listener() = default;
  explicit Listener(int descriptor) : descriptor_(descriptor) {}
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  ~Listener();
  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

/// Sockets that listen on one address, or why there are none.
struct Listeners {
  std::vector<Listener> sockets;
  base::Address address;  ///< with the port that the kernel chose for port 0
  std::string error;
};

/// `count` sockets on one address, between which the kernel spreads clients (SO_REUSEPORT,
/// socket(7)). Refuses an address that anybody listens on, another Ringroom too, if that goes on
/// for `patience`; blocks meanwhile. `flag` is what the message of a failure advises to change.
Listeners listen_on(const base::Address& address,
                    unsigned count,
                    const char* flag,
                    std::chrono::milliseconds patience);

}  // namespace ringroom::server
