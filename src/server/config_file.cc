#include "server/config_file.h"

#include "server/flags.h"

#include <optional>
#include <sstream>

#include <toml++/toml.h>

namespace ringroom::server {

namespace {

std::string place(const std::string& path, const toml::source_position& at) {
  return path + ":" + std::to_string(at.line) + ": ";
}

// A scalar as one would write it after the flag.
std::optional<std::string> text_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

template <typename Value>
std::string printed(const Value& value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

// Dates and times, which JSON lacks, become their text.
json to_json(const toml::node& node) {
  json value;
  node.visit([&value](const auto& content) {
    using Content = std::remove_cvref_t<decltype(content)>;
    if constexpr (toml::is_table<Content>) {
      value = json::object();
      for (const auto& [key, child] : content) value[std::string(key.str())] = to_json(child);
    } else if constexpr (toml::is_array<Content>) {
      value = json::array();
      for (const toml::node& child : content) value.push_back(to_json(child));
    } else if constexpr (toml::is_string<Content> || toml::is_number<Content> ||
                         toml::is_boolean<Content>) {
      value = content.get();
    } else {
      value = printed(content.get());
    }
  });
  return value;
}

std::string apply_text(const Flag& flag, const toml::node& node, Settings& settings) {
  const std::optional<std::string> text = text_of(node);
  if (!text) return std::string(flag.name) + " must be a string or a whole number";
  const std::string error = flag.apply(settings, *text);
  return error.empty() ? "" : std::string(flag.name) + ": '" + *text + "' " + error;
}

// agents = ["a.so", "b.so"]
std::string apply_each(const Flag& flag, const toml::array& values, Settings& settings) {
  for (const toml::node& value : values) {
    if (std::string error = apply_text(flag, value, settings); !error.empty()) return error;
  }
  return {};
}

// [env]
std::string apply_env(const toml::table& values, Settings& settings) {
  for (const auto& [key, value] : values) {
    const std::string name(key.str());
    const std::optional<std::string> text = text_of(value);
    if (!text) return "env." + name + " must be a string, a whole number or a boolean";
    settings.options.env[name] = *text;
  }
  return {};
}

// [props.ChatRoom]
std::string apply_props(const toml::node& node, Settings& settings) {
  const toml::table* classes = node.as_table();
  if (classes == nullptr) return "props must be tables by class, such as [props.ChatRoom]";
  for (const auto& [name, value] : *classes) {
    settings.options.props[std::string(name.str())] = to_json(value);
  }
  return {};
}

std::string apply(std::string_view key, const toml::node& node, Settings& settings) {
  if (key == "props") return apply_props(node, settings);
  const Flag* flag = find_flag(key);
  if (flag == nullptr || flag->apply == nullptr) {
    return "unknown key '" + std::string(key) + "'; the keys are the flags of --help, and props";
  }
  if (key == "env" && node.is_table()) return apply_env(*node.as_table(), settings);
  if (flag->repeatable && node.is_array()) return apply_each(*flag, *node.as_array(), settings);
  return apply_text(*flag, node, settings);
}

}  // namespace

std::string read_config_file(const std::string& path, Settings& settings) {
  try {
    for (const auto& [key, node] : toml::parse_file(path)) {
      const std::string error = apply(key.str(), node, settings);
      if (!error.empty()) return place(path, node.source().begin) + error;
    }
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return (at ? place(path, at) : path + ": ") + std::string(error.description());
  }
  return {};
}

}  // namespace ringroom::server
