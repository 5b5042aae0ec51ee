// Address: where a listener listens, as people write it: 127.0.0.1:8787 or [::1]:8787. A value
// without resources; any thread.
#pragma once

#include "base/values.h"

#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

namespace ringroom::base {

struct Address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  in_port_t port() const;
  /// "127.0.0.1:8787", "[::1]:8787": as parse_address reads it.
  std::string text() const;
};

/// An IPv4 address or an IPv6 address in brackets, a colon, a port from 0 to 65535. No names: what
/// a name means is not ours to choose.
Parsed<Address> parse_address(std::string_view text);

/// What a socket is bound to.
Address address_of(int socket);

}  // namespace ringroom::base
