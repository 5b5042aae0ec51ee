#include "codec/http/url.h"

#include "codec/http/characters.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>
#include <simdjson.h>

namespace ringroom::codec::http {

namespace {

using CharacterSet = std::array<bool, 256>;

constexpr CharacterSet percent_encode_set(std::string_view characters) {
  CharacterSet set{};
  for (std::size_t byte = 0; byte < set.size(); ++byte) {
    set[byte] = byte <= 0x20 || byte >= 0x7f;
  }
  for (const char c : characters) {
    set[static_cast<unsigned char>(c)] = true;
  }
  return set;
}

// The "path" and "special-query" percent-encode sets of the URL standard.
constexpr CharacterSet path_encode_set = percent_encode_set("\"#<>?^`{}");
constexpr CharacterSet query_encode_set = percent_encode_set("\"#<>'");

bool needs_encoding(std::string_view text, const CharacterSet& set) {
  return std::any_of(text.begin(), text.end(),
                     [&set](char c) { return set[static_cast<unsigned char>(c)]; });
}

void append_encoded(std::string& out, std::string_view text, const CharacterSet& set) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  if (!needs_encoding(text, set)) {
    out += text;
    return;
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (set[byte]) {
      out += '%';
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
    } else {
      out += c;
    }
  }
}

/// Number of dots if the segment is "." or "..", each of which may be written %2e; else 0.
int count_dots(std::string_view segment) {
  int dots = 0;
  while (!segment.empty()) {
    const bool escaped = segment.size() >= 3 && equals_ignoring_case(segment.substr(0, 3), "%2e");
    if (!escaped && segment.front() != '.') {
      return 0;
    }
    segment.remove_prefix(escaped ? 3 : 1);
    ++dots;
  }
  return dots <= 2 ? dots : 0;
}

void append_path(std::string& out, std::string_view path) {
  if (path.empty()) {
    out += '/';
    return;
  }
  const std::size_t base = out.size();
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find_first_of("/\\"));
    path.remove_prefix(segment.size());
    const int dots = count_dots(segment);
    if (dots == 0) {
      out += '/';
      append_encoded(out, segment, path_encode_set);
      continue;
    }
    if (dots == 2 && out.size() > base) {
      out.resize(out.rfind('/'));
    }
    if (path.empty()) {
      out += '/';  // the last segment: what it names is a directory
    }
  }
}

void append_host(std::string& out, std::string_view host) {
  if (host.ends_with(":80")) {
    host.remove_suffix(3);
  } else if (host.ends_with(':')) {
    host.remove_suffix(1);
  }
  for (const char c : host) {
    out += to_lower(c);
  }
}

int hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The JSON library's replacement of invalid UTF-8 is the one that browsers do.
std::string replace_invalid_utf8(const std::string& text) {
  using nlohmann::json;
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

}  // namespace

std::optional<TargetParts> split_target(std::string_view method, std::string_view target) {
  constexpr std::string_view scheme = "http://";
  TargetParts parts;
  if (target == "*") {
    return method == "OPTIONS" ? std::optional(parts) : std::nullopt;
  }
  if (equals_ignoring_case(target.substr(0, scheme.size()), scheme)) {
    target.remove_prefix(scheme.size());
    parts.authority = target.substr(0, target.find_first_of("/\\?#"));
    target.remove_prefix(parts.authority.size());
    if (!is_valid_host(parts.authority)) {
      return std::nullopt;
    }
  } else if (!target.starts_with('/')) {
    return std::nullopt;
  }
  target = target.substr(0, target.find('#'));
  const std::size_t question_mark = target.find('?');
  parts.path = target.substr(0, question_mark);
  parts.has_query = question_mark != std::string_view::npos;
  if (parts.has_query) {
    parts.query = target.substr(question_mark + 1);
  }
  return parts;
}

bool is_valid_host(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const std::size_t name_end = bracketed ? host.find(']') : host.find(':');
  if (bracketed && name_end == std::string_view::npos) {
    return false;
  }
  const std::string_view name = host.substr(bracketed ? 1 : 0, name_end - (bracketed ? 1 : 0));
  std::string_view port = name_end == std::string_view::npos ? "" : host.substr(name_end);
  if (bracketed) {
    port.remove_prefix(1);
  }
  if (!port.empty() && (port.front() != ':' || port.size() > 6 ||
                        !std::all_of(port.begin() + 1, port.end(), is_digit))) {
    return false;
  }
  const auto is_name_character = [bracketed](char c) {
    if (bracketed) {
      return hex_value(c) >= 0 || c == ':' || c == '.';
    }
    const char lower = to_lower(c);
    return is_digit(c) || (lower >= 'a' && lower <= 'z') ||
           std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos;
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_name_character);
}

UrlLayout append_url(std::string& out, std::string_view host, const TargetParts& parts) {
  UrlLayout layout;
  out.reserve(out.size() + host.size() + parts.authority.size() + parts.path.size() +
              parts.query.size() + 16);
  out += "http://";
  append_host(out, parts.authority.empty() ? host : parts.authority);
  layout.path_offset = out.size();
  append_path(out, parts.path);
  layout.path_size = out.size() - layout.path_offset;
  if (parts.has_query) {
    out += '?';
  }
  layout.query_offset = out.size();
  append_encoded(out, parts.query, query_encode_set);
  layout.query_size = out.size() - layout.query_offset;
  return layout;
}

bool take_pair(std::string_view& rest, std::string_view& name, std::string_view& value) {
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = pair.find('=');
    name = pair.substr(0, equals);
    value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    return true;
  }
  return false;
}

std::string decode_form_text(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && i + 2 < text.size()) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    decoded += c == '+' ? ' ' : c;
  }
  if (!simdjson::validate_utf8(decoded.data(), decoded.size())) {
    return replace_invalid_utf8(decoded);
  }
  return decoded;
}

}  // namespace ringroom::codec::http
