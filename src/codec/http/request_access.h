// RequestAccess: the parser's way into a Request, which users only read. Same thread and owner as
// the Request.
#pragma once

#include "codec/http/url.h"
#include "ringroom/request.h"

#include <string>
#include <string_view>

namespace ringroom::detail {

struct RequestAccess {
  static Request make() { return {}; }
  /// The head as it arrives. What follows are views of this very string.
  static std::string& text(Request& request) { return request.text_; }
  static std::string& body(Request& request) { return request.body_; }

  static void reserve_headers(Request& request, std::size_t headers) {
    request.fields_.reserve(headers);
  }
  static void set_request_line(Request& request,
                               std::string_view method,
                               std::string_view target,
                               bool http_1_0) {
    request.method_ = slice(request, method);
    request.target_ = slice(request, target);
    request.http_1_0_ = http_1_0;
  }
  static void add_header(Request& request, std::string_view name, std::string_view value) {
    request.fields_.push_back({slice(request, name), slice(request, value)});
  }
  /// Once for each request, after the request line.
  static void set_url(Request& request,
                      std::string_view host,
                      const codec::http::TargetParts& parts);

 private:
  static Request::Slice slice(const Request& request, std::string_view view) {
    return {view.empty() ? 0 : static_cast<std::uint32_t>(view.data() - request.text_.data()),
            static_cast<std::uint32_t>(view.size())};
  }
};

}  // namespace ringroom::detail
