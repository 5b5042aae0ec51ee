#include "codec/http/cors.h"

#include <stdexcept>

namespace ringroom {

CorsHeaders cors_any_origin() {
  return {{"Access-Control-Allow-Origin", "*"},
          {"Access-Control-Allow-Headers", "*"},
          {"Access-Control-Allow-Methods", "GET, POST, HEAD, OPTIONS"},
          {"Access-Control-Max-Age", "86400"}};
}

namespace codec::http {

void add_cors_headers(Response& response, const CorsHeaders& headers) {
  for (const Response::Header& header : headers) response.set_header(header.name, header.value);
}

bool are_valid_headers(const CorsHeaders& headers) {
  Response response;
  try {
    add_cors_headers(response, headers);
  } catch (const std::invalid_argument&) {
    return false;
  }
  return true;
}

bool is_cors_preflight(const Request& request) {
  return request.method() == "OPTIONS";
}

}  // namespace codec::http

}  // namespace ringroom
