#include "ringroom/request.h"

#include "codec/http/characters.h"
#include "codec/http/request_access.h"
#include "codec/http/url.h"

#include <algorithm>
#include <stdexcept>

namespace ringroom {

namespace {

using codec::http::equals_ignoring_case;

/// A path alone gets its host from the headers; a complete URL has its own.
std::string_view host_of(const Request& request) {
  const std::string_view host = request.header("host").value_or("localhost");
  if (!codec::http::is_valid_host(host)) {
    throw std::invalid_argument("the Host header is malformed");
  }
  return host;
}

}  // namespace

Request::Request(std::string_view method,
                 std::string_view url,
                 HeaderList headers,
                 std::string body)
    : body_(std::move(body)) {
  const auto parts = codec::http::split_target(method, url);
  if (!codec::http::is_token(method)) {
    throw std::invalid_argument("a request method must be a token, such as GET");
  }
  if (!parts || codec::http::has_control(url)) {
    throw std::invalid_argument("a request URL must begin with http:// or with a slash");
  }
  method_ = append(method);
  target_ = append(url);
  for (const auto& [name, value] : headers) {
    set_header(name, value);
  }
  detail::RequestAccess::set_url(*this, host_of(*this), *parts);
}

void detail::RequestAccess::set_url(Request& request,
                                    std::string_view host,
                                    const codec::http::TargetParts& parts) {
  const codec::http::UrlLayout layout = codec::http::append_url(request.url_, host, parts);
  const auto slice_of = [](std::size_t offset, std::size_t size) {
    return Request::Slice{static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(size)};
  };
  request.path_ = slice_of(layout.path_offset, layout.path_size);
  request.query_ = slice_of(layout.query_offset, layout.query_size);
}

Request::Slice Request::append(std::string_view text) {
  const Slice slice{static_cast<std::uint32_t>(text_.size()),
                    static_cast<std::uint32_t>(text.size())};
  text_ += text;
  return slice;
}

void Request::set_header(std::string_view name, std::string_view value) {
  if (!codec::http::is_token(name)) {
    throw std::invalid_argument("a header name must be a token");
  }
  if (codec::http::has_control(value)) {
    throw std::invalid_argument("a header value must not have control characters");
  }
  const Slice name_slice = append(name);
  const Slice value_slice = append(codec::http::trim(value));
  std::erase_if(fields_, [&](const Field& field) {
    return equals_ignoring_case(view(field.name), view(name_slice));
  });
  fields_.push_back({name_slice, value_slice});
}

std::optional<std::string> Request::query(std::string_view name) const {
  std::string_view rest = query_string();
  std::string_view pair_name;
  std::string_view value;
  while (codec::http::take_pair(rest, pair_name, value)) {
    const bool encoded = pair_name.find_first_of("%+") != std::string_view::npos;
    if (encoded ? codec::http::decode_form_text(pair_name) == name : pair_name == name) {
      return codec::http::decode_form_text(value);
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const Field& field : fields_) {
    if (equals_ignoring_case(view(field.name), name)) {
      return view(field.value);
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::cookie(std::string_view name) const {
  for (const HeaderView header : headers()) {
    if (!equals_ignoring_case(header.name, "cookie")) {
      continue;
    }
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::string_view pair = codec::http::take_element(rest, ';');
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos || codec::http::trim(pair.substr(0, equals)) != name) {
        continue;
      }
      std::string_view value = codec::http::trim(pair.substr(equals + 1));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      return value;
    }
  }
  return std::nullopt;
}

bool Request::is_upgrade() const {
  bool upgrade = false;
  for (const HeaderView header : headers()) {
    if (equals_ignoring_case(header.name, "upgrade")) {
      if (upgrade || !equals_ignoring_case(header.value, "websocket")) {
        return false;  // a list of protocols, in one line or in several
      }
      upgrade = true;
    }
  }
  return upgrade;
}

}  // namespace ringroom
