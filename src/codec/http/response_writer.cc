#include "codec/http/response_writer.h"

#include "codec/http/characters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include <boost/beast/http/status.hpp>

namespace ringroom::codec::http {

namespace {

/// Headers that belong to the connection: the server writes them, whatever the author set.
bool is_framing(std::string_view name) {
  constexpr std::array<std::string_view, 7> names{
      "content-length", "transfer-encoding", "connection", "date",
      "keep-alive",     "upgrade",           "trailer"};
  return std::any_of(names.begin(), names.end(), [name](std::string_view framing) {
    return equals_ignoring_case(name, framing);
  });
}

/// RFC 9110 §15: these end with their head.
bool has_content(int status) {
  return status != 204 && status != 304;
}

/// 426 says which protocol is wanted (RFC 9110 §15.5.22), and Connection names it (§7.8).
bool names_upgrade(const Response& response) {
  return response.status() == 426 && response.header("upgrade").has_value();
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), result.ptr);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

void append_status_line(std::string& out, int status) {
  namespace beast_http = boost::beast::http;
  const auto known = beast_http::int_to_status(static_cast<unsigned>(status));
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(status));
  out += ' ';
  if (known != beast_http::status::unknown) {
    const auto reason = beast_http::obsolete_reason(known);
    out.append(reason.data(), reason.size());
  }
  out += "\r\n";
}

}  // namespace

bool wants_close(const Response& response) {
  std::string_view options = response.header("connection").value_or("");
  while (!options.empty()) {
    if (equals_ignoring_case(take_element(options, ','), "close")) {
      return true;
    }
  }
  return false;
}

bool sends_body(const Response& response, const ResponseContext& context) {
  return !context.head_request && has_content(response.status());
}

void write_response_head(std::string& out,
                         const Response& response,
                         const ResponseContext& context) {
  append_status_line(out, response.status());
  for (const Response::Header& header : response.headers()) {
    if (!is_framing(header.name)) {
      append_header(out, header.name, header.value);
    }
  }
  if (has_content(response.status())) {
    if (!response.body().empty() && !response.header("content-type")) {
      append_header(out, "Content-Type", "text/plain;charset=UTF-8");
    }
    out += "Content-Length: ";
    append_number(out, response.body().size());
    out += "\r\n";
  }
  if (!context.date.empty()) {
    append_header(out, "Date", context.date);
  }
  const bool close = !context.keep_alive || wants_close(response);
  if (names_upgrade(response)) {
    append_header(out, "Upgrade", *response.header("upgrade"));
    out += close ? "Connection: upgrade, close\r\n" : "Connection: upgrade\r\n";
  } else if (close) {
    out += "Connection: close\r\n";
  } else if (context.http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

void write_response(std::string& out, const Response& response, const ResponseContext& context) {
  write_response_head(out, response, context);
  if (sends_body(response, context)) {
    out += response.body();
  }
}

}  // namespace ringroom::codec::http
