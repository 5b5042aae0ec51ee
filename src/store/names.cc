#include "store/names.h"

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include <openssl/sha.h>

namespace ringroom::store {

namespace {

// A file's name takes 255 bytes; the rest is for the ending.
constexpr std::size_t name_bytes_max = 240;
constexpr std::string_view digits = "0123456789abcdef";

using Sum = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Sum sum_of(std::string_view text) {
  Sum sum{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), sum.data());
  return sum;
}

void append_hex(std::string& to, unsigned char byte) {
  to += digits[byte >> 4U];
  to += digits[byte & 15U];
}

bool stands_for_itself(char character) {
  const bool letter =
      (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
  return letter || (character >= '0' && character <= '9') || character == '-' || character == '_';
}

std::string escaped(std::string_view name) {
  std::string text;
  for (const char character : name) {
    if (stands_for_itself(character)) {
      text += character;
    } else {
      text += '%';
      append_hex(text, static_cast<unsigned char>(character));
    }
  }
  return text;
}

// -1: none.
int value_of(char digit) {
  const std::size_t value = digits.find(digit);
  return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    if (stands_for_itself(text.front())) {
      name += text.front();
      text.remove_prefix(1);
      continue;
    }
    if (text.size() < 3 || text.front() != '%') return std::nullopt;
    const int high = value_of(text[1]);
    const int low = value_of(text[2]);
    if (high < 0 || low < 0) return std::nullopt;
    name += static_cast<char>(high * 16 + low);
    text.remove_prefix(3);
  }
  return name;
}

}  // namespace

std::string class_folder(std::string_view class_name) {
  return escaped(class_name);
}

std::optional<RoomName> parse_database_name(std::string_view name) {
  constexpr std::string_view ending = ".db";
  const std::size_t first = name.find('/');
  const std::size_t last = name.rfind('/');
  if (first == last || !name.ends_with(ending)) return std::nullopt;
  const auto class_name = unescaped(name.substr(0, first));
  std::string_view file = name.substr(last + 1);
  file.remove_suffix(ending.size());
  if (!class_name || class_name->empty() || file.empty()) return std::nullopt;
  if (file.front() == '=') return RoomName{*class_name, std::nullopt};
  auto room = unescaped(file);
  if (!room) return std::nullopt;
  return RoomName{*class_name, std::move(room)};
}

std::string database_name(std::string_view class_name, std::string_view room) {
  const Sum sum = sum_of(room);
  std::string folder;
  for (std::size_t i = 0; i < 2; ++i) append_hex(folder, sum[i]);
  folder.resize(3);
  std::string file = escaped(room);
  if (file.size() > name_bytes_max) {
    file = "=";
    for (const unsigned char byte : sum) append_hex(file, byte);
  }
  return escaped(class_name) + "/" + folder + "/" + file + ".db";
}

std::string alarms_name(unsigned shard, unsigned shards) {
  return "alarms/" + std::to_string(shard) + "-of-" + std::to_string(shards) + ".db";
}

}  // namespace ringroom::store
