// The character classes of RFC 9110 and comparison without case. Constants and pure functions: any
// thread, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace ringroom::codec::http {

/// tchar of RFC 9110 §5.6.2: what methods, header names and subprotocols are made of.
inline constexpr std::array<bool, 256> token_characters = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

constexpr bool is_token_character(char c) {
  return token_characters[static_cast<unsigned char>(c)];
}

constexpr bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!is_token_character(c)) {
      return false;
    }
  }
  return !text.empty();
}

/// Control characters but the tab: what may not stand in a header's value.
constexpr bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

constexpr bool has_control(std::string_view text) {
  for (const char c : text) {
    if (is_control(c)) {
      return true;
    }
  }
  return false;
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Equal without regard to the case of ASCII letters.
constexpr bool equals_ignoring_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) {
    return false;
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (to_lower(left[i]) != to_lower(right[i])) {
      return false;
    }
  }
  return true;
}

/// Without the blanks and tabs (OWS) at both ends.
constexpr std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

/// Cuts the next element, trimmed, off a list that `separator` divides. The rest of an empty list
/// is empty; so is an element between two separators.
constexpr std::string_view take_element(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view element = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return trim(element);
}

}  // namespace ringroom::codec::http
