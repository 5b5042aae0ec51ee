#include "codec/ws/extension_list.h"

#include <algorithm>
#include <utility>

namespace ringroom::codec::ws {
namespace {

/// tchar of RFC 7230 §3.2.6, without regard to the locale.
constexpr bool is_token_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// What is left of the text. Each take_ function leaves it alone if it finds nothing.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }

  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  /// Empty if there is none.
  std::string_view take_token() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
    const std::string_view token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }

  /// A token or a quoted one. Empty if there is none.
  std::string take_value() {
    if (!take('"')) {
      return std::string(take_token());
    }
    std::string value;
    while (!rest_.empty() && !take('"')) {
      take('\\');
      if (rest_.empty() || !is_token_character(rest_.front())) {
        return {};
      }
      value.push_back(rest_.front());
      rest_.remove_prefix(1);
      if (rest_.empty()) {
        return {};  // the quote is never closed
      }
    }
    return value;
  }

 private:
  std::string_view rest_;
};

std::optional<ExtensionParameter> parse_parameter(Cursor& cursor) {
  ExtensionParameter parameter{.name = cursor.take_token(), .value = std::nullopt};
  if (parameter.name.empty()) {
    return std::nullopt;
  }
  cursor.skip_blanks();
  if (cursor.take('=')) {
    cursor.skip_blanks();
    parameter.value = cursor.take_value();
    if (parameter.value->empty()) {
      return std::nullopt;
    }
  }
  return parameter;
}

std::optional<Extension> parse_extension(Cursor& cursor) {
  Extension extension{.name = cursor.take_token(), .parameters = {}};
  if (extension.name.empty()) {
    return std::nullopt;
  }
  cursor.skip_blanks();
  while (cursor.take(';')) {
    cursor.skip_blanks();
    std::optional<ExtensionParameter> parameter = parse_parameter(cursor);
    if (!parameter) {
      return std::nullopt;
    }
    extension.parameters.push_back(std::move(*parameter));
    cursor.skip_blanks();
  }
  return extension;
}

}  // namespace

std::optional<std::vector<Extension>> parse_extension_list(std::string_view text) {
  std::vector<Extension> extensions;
  Cursor cursor(text);
  bool after_comma = true;
  for (;;) {
    cursor.skip_blanks();
    if (cursor.at_end()) {
      return extensions;
    }
    if (cursor.take(',')) {  // elements may be empty (RFC 7230 §7)
      after_comma = true;
      continue;
    }
    std::optional<Extension> extension = parse_extension(cursor);
    if (!after_comma || !extension) {
      return std::nullopt;
    }
    extensions.push_back(std::move(*extension));
    after_comma = false;
  }
}

}  // namespace ringroom::codec::ws
