// Origins: who a page belongs to, as browsers say it in the Origin header (RFC 6454 §6.2). Pure
// functions: any thread.
#pragma once

#include "base/values.h"

#include <string>
#include <string_view>

namespace ringroom::server {

/// "https://game.example" or "http://10.0.0.7:8080" as a browser would write it: lower case, and
/// without the port that the scheme has anyway. "null" is what pages without an origin send.
base::Parsed<std::string> parse_origin(std::string_view text);

}  // namespace ringroom::server
