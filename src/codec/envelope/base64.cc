#include "codec/envelope/base64.h"

#include "base/assert.h"

#include <openssl/evp.h>

namespace ringroom::codec::envelope {

void append_base64(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  const std::size_t before = out.size();
  const std::size_t characters = (bytes.size() + 2) / 3 * 4;
  out.resize(before + characters + 1);  // the encoder ends it with 0
  const int written = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + before),
                                      reinterpret_cast<const unsigned char*>(bytes.data()),
                                      static_cast<int>(bytes.size()));
  ASSERT(written >= 0 && static_cast<std::size_t>(written) == characters);
  out.resize(before + characters);
}

bool decode_base64(std::string_view text, std::vector<std::byte>& bytes) {
  if (text.size() % 4 != 0) return false;
  bytes.resize(text.size() / 4 * 3);
  if (text.empty()) return true;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (text.find('=') < text.size() - padding) return false;
  const int written = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()));
  // The library takes padding for zeros, and passes over white space around.
  if (written < 0 || static_cast<std::size_t>(written) != bytes.size()) return false;
  bytes.resize(bytes.size() - padding);
  return true;
}

}  // namespace ringroom::codec::envelope
