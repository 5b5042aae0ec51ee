#include "codec/http/strict_head.h"

#include "base/assert.h"
#include "codec/http/characters.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace ringroom::codec::http {

namespace {

constexpr Refusal bad_request(std::string_view text) {
  return {400, text};
}

/// Cuts one line off, without its CRLF. The scanner saw to it that every line has one.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\r');
  ASSERT(end != std::string_view::npos);
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

/// What is said about framing and host in the headers.
struct Framing {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::string_view host;
  std::uint64_t length = 0;
};

/// Whether one of eight bytes is below 0x20 or is 0x7f: a control or a tab.
bool has_control_or_tab(std::uint64_t bytes) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t high_bits = 0x80 * ones;
  const std::uint64_t without_delete = bytes ^ (0x7f * ones);
  const std::uint64_t below_space = (bytes - 0x20 * ones) & ~bytes;
  const std::uint64_t is_delete = (without_delete - ones) & ~without_delete;
  return ((below_space | is_delete) & high_bits) != 0;
}

/// Bytes in front that are no controls.
std::size_t count_plain(std::span<const std::byte> bytes) {
  std::size_t i = 0;
  std::uint64_t eight = 0;
  while (i + sizeof(eight) <= bytes.size()) {
    std::memcpy(&eight, bytes.data() + i, sizeof(eight));
    if (has_control_or_tab(eight)) {
      break;
    }
    i += sizeof(eight);
  }
  while (i < bytes.size() && !is_control(static_cast<char>(bytes[i]))) {
    ++i;
  }
  return i;
}

std::optional<Refusal> check_version(std::string_view version) {
  if (version == "HTTP/1.1" || version == "HTTP/1.0") {
    return std::nullopt;
  }
  if (version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
      version[6] == '.' && is_digit(version[7])) {
    return Refusal{505, "ERROR: Only HTTP/1.1 and HTTP/1.0 are spoken here."};
  }
  return bad_request("ERROR: The request line is malformed.");
}

std::optional<Refusal> check_request_line(std::string_view line, HeadCheck& check) {
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end == method_end) {
    return bad_request("ERROR: The request line is malformed.");
  }
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  if (!is_token(method)) {
    return bad_request("ERROR: The request method is malformed.");
  }
  if (const auto refusal = check_version(line.substr(target_end + 1))) {
    return refusal;
  }
  if (target.find_first_of(" \t") != std::string_view::npos) {
    return bad_request("ERROR: The request target has a blank in it.");
  }
  const std::optional<TargetParts> parts = split_target(method, target);
  if (!parts) {
    return bad_request("ERROR: The request target is malformed.");
  }
  check.target = *parts;
  return std::nullopt;
}

std::optional<Refusal> note_length(std::string_view value, Framing& framing) {
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), framing.length);
  // For unsigned numbers from_chars takes digits alone: no sign, no blank, no comma.
  if (error != std::errc() || end != value.data() + value.size()) {
    return bad_request("ERROR: Content-Length must be one decimal number.");
  }
  if (++framing.lengths > 1) {
    return bad_request("ERROR: Content-Length must not be repeated.");
  }
  return std::nullopt;
}

std::optional<Refusal> note_header(std::string_view name,
                                   std::string_view value,
                                   Framing& framing) {
  if (equals_ignoring_case(name, "host")) {
    framing.host = value;
    if (++framing.hosts > 1) {
      return bad_request("ERROR: Host must not be repeated.");
    }
    if (!is_valid_host(value)) {
      return bad_request("ERROR: The Host header is malformed.");
    }
  } else if (equals_ignoring_case(name, "content-length")) {
    return note_length(value, framing);
  } else if (equals_ignoring_case(name, "transfer-encoding")) {
    if (++framing.codings > 1 || !equals_ignoring_case(value, "chunked")) {
      return bad_request("ERROR: The only Transfer-Encoding taken is chunked.");
    }
  }
  return std::nullopt;
}

std::optional<Refusal> check_header_line(std::string_view line, Framing& framing) {
  if (line.front() == ' ' || line.front() == '\t') {
    return bad_request("ERROR: Header lines must not be folded.");
  }
  std::size_t colon = 0;
  while (colon < line.size() && is_token_character(line[colon])) {
    ++colon;
  }
  if (colon == 0 || colon == line.size() || line[colon] != ':') {
    return bad_request("ERROR: A header name is malformed.");
  }
  return note_header(line.substr(0, colon), trim(line.substr(colon + 1)), framing);
}

std::optional<Refusal> check_framing(const Framing& framing, bool http_1_0) {
  if (framing.codings > 0 && framing.lengths > 0) {
    return bad_request("ERROR: Content-Length and Transfer-Encoding exclude each other.");
  }
  if (framing.codings > 0 && http_1_0) {
    return bad_request("ERROR: HTTP/1.0 has no Transfer-Encoding.");
  }
  if (framing.hosts == 0 && !http_1_0) {
    return bad_request("ERROR: The Host header is missing.");
  }
  return std::nullopt;
}

}  // namespace

HeadScanner::Scan HeadScanner::scan(std::span<const std::byte> piece) {
  for (std::size_t i = 0; i < piece.size(); ++i) {
    if (!after_cr_) {
      const std::size_t plain = count_plain(piece.subspan(i));
      line_ends_ = plain > 0 ? 0 : line_ends_;
      i += plain;
      if (i == piece.size()) {
        break;
      }
    }
    const auto c = static_cast<char>(piece[i]);
    if (after_cr_ != (c == '\n')) {
      bad_line_end_ = true;
      return {Result::refused, i};
    }
    if (c == '\n') {
      after_cr_ = false;
      if (++line_ends_ == 2) {
        return {Result::complete, i + 1};
      }
    } else if (c == '\r') {
      after_cr_ = true;
    } else {
      return {Result::refused, i};
    }
  }
  return {Result::need_more, piece.size()};
}

Refusal HeadScanner::refusal() const {
  return bad_line_end_ ? bad_request("ERROR: Lines must end with CR LF.")
                       : bad_request("ERROR: Control characters are not taken.");
}

HeadCheck check_head(std::string_view head) {
  HeadCheck check;
  const std::string_view request_line = take_line(head);
  check.refusal = check_request_line(request_line, check);
  Framing framing;
  while (!check.refusal) {
    const std::string_view line = take_line(head);
    if (line.empty()) {
      break;
    }
    check.refusal = check_header_line(line, framing);
    if (++check.headers > headers_max) {
      check.refusal = Refusal{431, "ERROR: The request has too many headers."};
    }
  }
  if (!check.refusal) {
    check.refusal = check_framing(framing, request_line.ends_with("1.0"));
  }
  if (!check.target.authority.empty()) {
    check.host = check.target.authority;
  } else {
    check.host = framing.hosts > 0 ? framing.host : std::string_view("localhost");
  }
  check.has_body = framing.length > 0 || framing.codings > 0;
  return check;
}

}  // namespace ringroom::codec::http
