#include "store/names.h"

#include <array>
#include <cstddef>
#include <span>

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

}  // namespace

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

}  // namespace ringroom::store
