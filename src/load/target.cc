#include "load/target.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>

#include <arpa/inet.h>
#include <netdb.h>

namespace ringroom::load {

namespace {

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

std::string look_up(const std::string& host, const std::string& port, base::Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return "names a host that can't be found: " + std::string(gai_strerror(error));
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.bytes = found->ai_addrlen;
  freeaddrinfo(found);
  return {};
}

// The number in a source's last four bytes, which is what ranges count with.
std::uint32_t tail_of(const base::Address& address) {
  std::uint32_t tail = 0;
  if (address.family() == AF_INET) {
    tail = reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr.s_addr;
  } else {
    const auto* ip6 = reinterpret_cast<const sockaddr_in6*>(address.get());
    std::memcpy(&tail, ip6->sin6_addr.s6_addr + 12, sizeof(tail));
  }
  return ntohl(tail);
}

void set_tail(base::Address& address, std::uint32_t number) {
  const std::uint32_t tail = htonl(number);
  if (address.family() == AF_INET) {
    reinterpret_cast<sockaddr_in*>(address.get())->sin_addr.s_addr = tail;
  } else {
    std::memcpy(reinterpret_cast<sockaddr_in6*>(address.get())->sin6_addr.s6_addr + 12, &tail,
                sizeof(tail));
  }
}

std::optional<base::Address> parse_ip(std::string_view text) {
  const bool is_ip6 = text.find(':') != std::string_view::npos;
  const std::string port = is_ip6 ? "]:0" : ":0";
  return base::parse_address((is_ip6 ? "[" : "") + std::string(text) + port).value;
}

constexpr const char* how_to_write_sources =
    "is not a source: write an IP address, a range such as 127.0.0.2-127.0.0.9, or a network such "
    "as 127.0.0.0/24";

base::Parsed<SourceRange> network(const base::Address& base_address, std::string_view prefix) {
  const std::uint64_t width = base_address.family() == AF_INET ? 32 : 128;
  const base::Parsed<std::uint64_t> bits = base::parse_number(prefix, width);
  if (!bits.value) return {{}, how_to_write_sources};
  if (width - *bits.value > 31) return {{}, "is too large a network: at most 2^31 addresses"};
  SourceRange range{base_address, std::uint64_t{1} << (width - *bits.value)};
  const auto mask = static_cast<std::uint32_t>(~(range.count - 1));
  std::uint32_t first = tail_of(base_address) & mask;
  if (base_address.family() == AF_INET && range.count > 2) {
    ++first;
    range.count -= 2;
  }
  set_tail(range.first, first);
  return {range, {}};
}

}  // namespace

std::string Target::path_of(std::uint32_t room, std::uint32_t connection) const {
  std::string written = path;
  replace_all(written, "{room}", std::to_string(room));
  replace_all(written, "{i}", std::to_string(connection));
  return written;
}

void Target::add_query(std::string_view parameter) {
  const std::string_view name = parameter.substr(0, parameter.find('=') + 1);
  const std::size_t query = path.find('?');
  if (parameter.empty()) return;
  if (query == std::string::npos) {
    path += '?' + std::string(parameter);
  } else if (path.find("?" + std::string(name), query) == std::string::npos &&
             path.find("&" + std::string(name), query) == std::string::npos) {
    path += '&' + std::string(parameter);
  }
}

base::Parsed<Target> parse_target(std::string_view url) {
  Target target;
  target.url = url;
  if (url.starts_with("wss://")) return {{}, "asks for TLS, which the load client doesn't speak"};
  target.is_bare = url.starts_with("tcp://");
  if (!target.is_bare && !url.starts_with("ws://")) {
    return {{}, "is not a ws:// URL, such as ws://127.0.0.1:8787/path"};
  }
  url.remove_prefix(url.find("//") + 2);
  const std::size_t slash = std::min(url.find_first_of("/?"), url.size());
  target.host = url.substr(0, slash);
  target.path = url.substr(slash);
  if (target.path.empty() || target.path.front() == '?') target.path.insert(0, "/");
  const auto is_bad = [](char letter) { return letter <= ' ' || letter == '#' || letter == 127; };
  if (std::any_of(target.path.begin(), target.path.end(), is_bad)) {
    return {{}, "has a space, a control character or a '#' in its path: percent-encode it"};
  }
  std::string host = target.host;
  std::string port = "80";
  const std::size_t colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) {
    port = host.substr(colon + 1);
    host.resize(colon);
  }
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  if (host.empty() || !base::parse_number(port, 65535).value) {
    return {{}, "has no host and port, as in ws://127.0.0.1:8787/path"};
  }
  std::string error = look_up(host, port, target.address);
  if (!error.empty()) return {{}, std::move(error)};
  return {std::move(target), {}};
}

base::Address SourceRange::at(std::uint64_t index) const {
  base::Address address = first;
  set_tail(address, tail_of(first) + static_cast<std::uint32_t>(index % count));
  return address;
}

base::Parsed<SourceRange> parse_source(std::string_view text) {
  const std::size_t mark = text.find_first_of("-/");
  const std::optional<base::Address> first = parse_ip(text.substr(0, mark));
  if (!first) return {{}, how_to_write_sources};
  if (mark == std::string_view::npos) return {SourceRange{*first, 1}, {}};
  if (text[mark] == '/') return network(*first, text.substr(mark + 1));
  const std::optional<base::Address> last = parse_ip(text.substr(mark + 1));
  if (!last || last->family() != first->family() || tail_of(*last) < tail_of(*first)) {
    return {{}, how_to_write_sources};
  }
  return {SourceRange{*first, std::uint64_t{tail_of(*last)} - tail_of(*first) + 1}, {}};
}

}  // namespace ringroom::load
