#include "codec/http/cors.h"

namespace ringroom::codec::http {

void add_cors_headers(Response& response) {
  response.set_header("Access-Control-Allow-Origin", "*");
  response.set_header("Access-Control-Allow-Headers", "*");
  response.set_header("Access-Control-Allow-Methods", "GET, POST, HEAD, OPTIONS");
  response.set_header("Access-Control-Max-Age", "86400");
}

bool is_cors_preflight(const Request& request) {
  return request.method() == "OPTIONS";
}

Response cors_preflight_response() {
  Response response = Response::empty(200);
  add_cors_headers(response);
  return response;
}

}  // namespace ringroom::codec::http
