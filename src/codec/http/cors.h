// CORS for classes and routes that want it, as routeAgentRequest's `cors` option does it. Pure
// functions, any thread; as many headers as their author wrote.
#pragma once

#include "ringroom/request.h"
#include "ringroom/route.h"

namespace ringroom::codec::http {

/// Sets these headers; for every answer but a 101, errors too. Throws as Response::set_header.
void add_cors_headers(Response& response, const CorsHeaders& headers);

/// Whether add_cors_headers() takes them: names are tokens, values have no control characters.
bool are_valid_headers(const CorsHeaders& headers);

/// Whether the server answers this request itself, with an empty 200: any OPTIONS.
bool is_cors_preflight(const Request& request);

}  // namespace ringroom::codec::http
