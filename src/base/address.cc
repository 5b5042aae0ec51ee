#include "base/address.h"

#include "base/assert.h"

#include <array>

#include <arpa/inet.h>

namespace ringroom::base {

namespace {

constexpr const char* how_to_write =
    "is not an address: write an IP address and a port, such as 127.0.0.1:8787, 0.0.0.0:8787 or "
    "[::1]:8787";

Parsed<Address> make_ip4(const std::string& host, in_port_t port) {
  Address address;
  auto* ip4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &ip4->sin_addr) != 1) return {{}, how_to_write};
  ip4->sin_family = AF_INET;
  ip4->sin_port = htons(port);
  address.bytes = sizeof(sockaddr_in);
  return {address, {}};
}

Parsed<Address> make_ip6(const std::string& host, in_port_t port) {
  Address address;
  auto* ip6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET6, host.c_str(), &ip6->sin6_addr) != 1) return {{}, how_to_write};
  ip6->sin6_family = AF_INET6;
  ip6->sin6_port = htons(port);
  address.bytes = sizeof(sockaddr_in6);
  return {address, {}};
}

}  // namespace

in_port_t Address::port() const {
  return ntohs(family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port
                                    : reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string Address::text() const {
  const bool is_ip6 = family() == AF_INET6;
  const void* const host =
      is_ip6 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr)
             : &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr;
  std::array<char, INET6_ADDRSTRLEN> digits{};
  inet_ntop(family(), host, digits.data(), digits.size());
  std::string text = is_ip6 ? "[" : "";
  text += digits.data();
  text += is_ip6 ? "]:" : ":";
  return text + std::to_string(port());
}

Parsed<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {{}, how_to_write};
  const Parsed<std::uint64_t> port = parse_number(text.substr(colon + 1), 65535);
  if (!port.value) return {{}, how_to_write};
  const auto number = static_cast<in_port_t>(*port.value);
  const std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return make_ip6(std::string(host.substr(1, host.size() - 2)), number);
  }
  return make_ip4(std::string(host), number);
}

Address address_of(int socket) {
  Address address;
  address.bytes = sizeof(address.storage);
  const int failed = getsockname(socket, address.get(), &address.bytes);
  ASSERT(failed == 0);
  return address;
}

}  // namespace ringroom::base
