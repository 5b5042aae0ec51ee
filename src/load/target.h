// Target: where the load goes: a URL whose path may differ by room and connection, and the
// addresses that the client's sockets come from. Values; made once by the main thread, read by all.
#pragma once

#include "base/address.h"
#include "base/values.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ringroom::load {

struct Target {
  std::string url;   ///< as it was given
  std::string host;  ///< value of the Host header
  std::string path;  ///< with query; may have {room} and {i} in it
  base::Address address;
  /// tcp:// in place of ws://: no handshake and no frames. Each message stands behind its length,
  /// u32, little endian; the first one is the path, which the server answers with an empty one.
  bool is_bare = false;
  std::string headers;  ///< lines for every handshake, each with CR LF

  /// Puts "name=value" into the query, if nothing of that name is there; "" does nothing.
  void add_query(std::string_view parameter);

  /// The path of one connection.
  std::string path_of(std::uint32_t room, std::uint32_t connection) const;
};

/// Reads ws://HOST[:PORT][/PATH][?QUERY], or the same with tcp://, and looks the host up
/// (getaddrinfo(3), may block).
base::Parsed<Target> parse_target(std::string_view url);

/// Addresses from `first` on, all of the server's family.
struct SourceRange {
  base::Address first;
  std::uint64_t count = 1;

  base::Address at(std::uint64_t index) const;
};

/// Reads an address ("127.0.0.2"), a range ("127.0.0.2-127.0.0.9") or a network ("127.0.0.0/24"),
/// of which the first and last address are left out when it is an IPv4 one of more than two.
base::Parsed<SourceRange> parse_source(std::string_view text);

}  // namespace ringroom::load
