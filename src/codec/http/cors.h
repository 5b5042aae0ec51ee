// CORS for classes with `cors` on, as routeAgentRequest's `cors: true` does it. Pure functions, any
// thread; four constant headers.
#pragma once

#include "ringroom/request.h"
#include "ringroom/response.h"

namespace ringroom::codec::http {

/// Adds the four access-control-allow headers; for every answer but a 101, errors too.
void add_cors_headers(Response& response);

/// Whether the server answers this request itself, with cors_preflight_response(): any OPTIONS.
bool is_cors_preflight(const Request& request);

/// An empty 200 with the four headers.
Response cors_preflight_response();

}  // namespace ringroom::codec::http
