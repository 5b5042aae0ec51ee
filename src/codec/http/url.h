// URLs as browsers' parser normalises them (WHATWG URL, special schemes), and the decoding of
// application/x-www-form-urlencoded. Pure functions, any thread; output is at most three times the
// input.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ringroom::codec::http {

/// A request target in its pieces (RFC 9112 §3.2). Views of the target.
struct TargetParts {
  std::string_view authority;  ///< of the absolute form, http://authority/…; else empty
  std::string_view path;       ///< begins with a slash, or is empty after an authority or for "*"
  std::string_view query;      ///< without the question mark
  bool has_query = false;      ///< there is a question mark
};

/// Origin form, absolute form with http, or "*" for OPTIONS. Nothing if it is none of them. A
/// fragment is cut.
std::optional<TargetParts> split_target(std::string_view method, std::string_view target);

/// Whether this is a host with an optional port as http needs it: a name, an IPv4 address or an
/// IPv6 address in brackets; not empty.
bool is_valid_host(std::string_view host);

/// Where path and query stand in the output of append_url.
struct UrlLayout {
  std::size_t path_offset = 0;
  std::size_t path_size = 0;
  std::size_t query_offset = 0;
  std::size_t query_size = 0;
};

/// Appends http://{host}{path}[?{query}] to `out`: host in lower case and without port 80, dot
/// segments resolved, backslashes of the path as slashes, and what may not stand in a URL
/// percent-encoded. `host` is valid.
UrlLayout append_url(std::string& out, std::string_view host, const TargetParts& parts);

/// Cuts the next `name=value` off a query or form body. False when nothing is left; empty pieces
/// (`a&&b`) are skipped. Both are still encoded.
bool take_pair(std::string_view& rest, std::string_view& name, std::string_view& value);

/// Decodes percent escapes and plus signs; broken escapes stay as they are and invalid UTF-8
/// becomes U+FFFD, as in URLSearchParams.
std::string decode_form_text(std::string_view text);

}  // namespace ringroom::codec::http
