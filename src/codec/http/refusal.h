// Refusal: why a request gets an error and its connection a close. A value for any thread; the text
// is a constant, so it is never freed.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringroom::codec::http {

/// The answer is `status` with `text` as text/plain, then the connection is closed, since where the
/// next request would begin is not known.
struct Refusal {
  std::uint16_t status = 0;
  std::string_view text;
};

}  // namespace ringroom::codec::http
