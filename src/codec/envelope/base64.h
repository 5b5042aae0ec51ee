// Base64 with padding (RFC 4648 §4), for bytes inside JSON. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace ringroom::codec::envelope {

/// Appends `bytes` as characters.
void append_base64(std::vector<std::byte>& out, std::span<const std::byte> bytes);

/// Replaces `bytes`. False if the text is not base64 of that form.
bool decode_base64(std::string_view text, std::vector<std::byte>& bytes);

}  // namespace ringroom::codec::envelope
