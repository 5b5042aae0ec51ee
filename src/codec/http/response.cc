#include "ringroom/response.h"

#include "codec/http/characters.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace ringroom {

namespace {

using codec::http::equals_ignoring_case;

Response::Header make_header(std::string_view name, std::string_view value) {
  if (!codec::http::is_token(name)) {
    throw std::invalid_argument("a header name must be a token");
  }
  if (codec::http::has_control(value)) {
    throw std::invalid_argument("a header value must not have control characters");
  }
  return {std::string(name), std::string(codec::http::trim(value))};
}

}  // namespace

Response::Response(int status, std::string body) : status_(status), body_(std::move(body)) {
  if (status < 200 || status > 599) {
    throw std::invalid_argument("a response status must be from 200 to 599");
  }
}

Response Response::bytes(int status, std::string_view content_type, std::string body) {
  Response response(status, std::move(body));
  response.set_header("Content-Type", content_type);
  return response;
}

Response Response::text(int status, std::string body) {
  return bytes(status, "text/plain;charset=UTF-8", std::move(body));
}

Response Response::html(int status, std::string body) {
  return bytes(status, "text/html;charset=UTF-8", std::move(body));
}

Response Response::json(int status, const nlohmann::json& value) {
  constexpr auto replace = nlohmann::json::error_handler_t::replace;
  return bytes(status, "application/json", value.dump(-1, ' ', false, replace));
}

Response Response::redirect(std::string_view location, int status) {
  constexpr std::array statuses{301, 302, 303, 307, 308};
  if (std::find(statuses.begin(), statuses.end(), status) == statuses.end()) {
    throw std::invalid_argument("a redirect's status must be 301, 302, 303, 307 or 308");
  }
  Response response(status);
  response.set_header("Location", location);
  return response;
}

Response& Response::set_header(std::string_view name, std::string_view value) {
  Header header = make_header(name, value);  // first: the views may be of a header that goes
  remove_header(header.name);
  headers_.push_back(std::move(header));
  return *this;
}

Response& Response::append_header(std::string_view name, std::string_view value) {
  headers_.push_back(make_header(name, value));
  return *this;
}

void Response::remove_header(std::string_view name) {
  std::erase_if(headers_,
                [name](const Header& header) { return equals_ignoring_case(header.name, name); });
}

std::optional<std::string_view> Response::header(std::string_view name) const {
  for (const Header& header : headers_) {
    if (equals_ignoring_case(header.name, name)) {
      return header.value;
    }
  }
  return std::nullopt;
}

}  // namespace ringroom
