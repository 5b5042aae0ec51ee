#include "server/origin.h"

#include <algorithm>

namespace ringroom::server {

namespace {

constexpr const char* how_to_write =
    "is not an origin: write scheme and host, and the port if it isn't the scheme's own, such as "
    "https://game.example or http://127.0.0.1:8787, with nothing behind";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// Of a host with its port.
std::size_t port_colon(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  return bracket == std::string_view::npos || colon > bracket ? colon : std::string_view::npos;
}

}  // namespace

base::Parsed<std::string> parse_origin(std::string_view text) {
  if (text == "null") return {"null", {}};
  const std::string origin = lower_case(text);
  const std::size_t slashes = origin.find("://");
  if (slashes == std::string::npos || slashes == 0) return {{}, how_to_write};
  const std::string scheme = origin.substr(0, slashes);
  std::string host = origin.substr(slashes + 3);
  const auto is_host_character = [](char c) {
    return is_letter_or_digit(c) || std::string_view("-._[]:").find(c) != std::string_view::npos;
  };
  if (!std::all_of(scheme.begin(), scheme.end(), is_letter_or_digit) ||
      !std::all_of(host.begin(), host.end(), is_host_character)) {
    return {{}, how_to_write};
  }
  if (const std::size_t colon = port_colon(host); colon != std::string::npos) {
    const std::string port = host.substr(colon + 1);
    if (!base::parse_number(port, 65535).value) return {{}, how_to_write};
    const bool is_default =
        (scheme == "http" && port == "80") || (scheme == "https" && port == "443");
    if (is_default) host.resize(colon);
  }
  if (host.empty() || host.front() == ':') return {{}, how_to_write};
  return {scheme + "://" + host, {}};
}

}  // namespace ringroom::server
