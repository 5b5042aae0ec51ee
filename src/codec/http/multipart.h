// Reads multipart/form-data (RFC 7578). Pure function, any thread; fields own copies of their
// bytes, which together are not more than the body.
#pragma once

#include "ringroom/request.h"

#include <cstddef>
#include <string_view>

namespace ringroom::codec::http {

/// Fields of one form.
inline constexpr std::size_t form_fields_max = 1000;
/// Headers of one part of a multipart body, in bytes.
inline constexpr std::size_t part_head_bytes_max = 8192;

/// `content_type` is the request's, with its boundary. Lines end with CR LF, the last part with the
/// closing boundary; a body without one was cut short and is an error.
Form parse_multipart(std::string_view content_type, std::string_view body);

}  // namespace ringroom::codec::http
