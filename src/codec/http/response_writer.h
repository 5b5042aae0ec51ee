// Writes a Response as HTTP/1.1 bytes (RFC 9112). Pure functions, any thread; the output is as long
// as the head and body of the response.
#pragma once

#include "ringroom/response.h"

#include <string>
#include <string_view>

namespace ringroom::codec::http {

/// What a client that expects it is told before it sends its body.
inline constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";

struct ResponseContext {
  bool head_request = false;   ///< the method was HEAD: same head, no body
  bool keep_alive = true;      ///< false adds Connection: close
  bool http_1_0 = false;       ///< the client speaks 1.0, which must be told of keep-alive
  std::string_view date = {};  ///< an IMF-fixdate (RFC 9110 §5.6.7); empty leaves Date out
};

/// Whether the response itself asks for the connection to be closed after it.
bool wants_close(const Response& response);

/// Appends status line and headers. Content-Length is always there, but with 204 and 304; a body
/// without a Content-Type becomes text/plain;charset=UTF-8.
void write_response_head(std::string& out,
                         const Response& response,
                         const ResponseContext& context);

/// The head and, unless method or status forbid one, the body.
void write_response(std::string& out, const Response& response, const ResponseContext& context);

/// Whether write_response would append the body.
bool sends_body(const Response& response, const ResponseContext& context);

}  // namespace ringroom::codec::http
