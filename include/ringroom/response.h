// Response: the answer to one HTTP request. Made and owned by agent code or the server, on any
// thread, then moved to the server. Its size is the author's decision.
#pragma once

#include "ringroom/json.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringroom {

class Response {
 public:
  struct Header {
    std::string name;
    std::string value;
  };

  /// Statuses are 200 to 599, as in the Fetch standard: std::invalid_argument is thrown otherwise.
  explicit Response(int status = 200, std::string body = {});

  /// text/plain;charset=UTF-8
  static Response text(int status, std::string body);
  static Response text(std::string body) { return text(200, std::move(body)); }
  /// text/html;charset=UTF-8
  static Response html(int status, std::string body);
  static Response html(std::string body) { return html(200, std::move(body)); }
  /// application/json; invalid UTF-8 in strings is sent as U+FFFD.
  static Response json(int status, const nlohmann::json& value);
  static Response json(const nlohmann::json& value) { return json(200, value); }
  /// Any other body: bytes with their content type.
  static Response bytes(int status, std::string_view content_type, std::string body);
  /// No body and no content type.
  static Response empty(int status) { return Response(status); }
  /// Sends the client to `location` by 301, 302, 303, 307 or 308.
  static Response redirect(std::string_view location, int status = 302);

  int status() const { return status_; }
  const std::string& body() const { return body_; }
  void set_body(std::string body) { body_ = std::move(body); }

  /// Replaces the headers of that name (compared without case) by this one. Throws
  /// std::invalid_argument if the name is not a token of RFC 9110 §5.6.2 or the value has control
  /// characters (tab excepted), so that what a user typed can never become a second header; in a
  /// callback of an agent that is logged and answered with 500. Framing is the server's:
  /// Content-Length, Transfer-Encoding, Date, Keep-Alive and Trailer set here are not sent, Upgrade
  /// only with 426, and of Connection only `close` has an effect.
  Response& set_header(std::string_view name, std::string_view value);
  /// Adds one more header, for those that may repeat, such as Set-Cookie. Throws as set_header.
  Response& append_header(std::string_view name, std::string_view value);
  /// Removes all headers of that name; none is fine.
  void remove_header(std::string_view name);
  /// The first header of that name, compared without case. Borrowed until the next change.
  std::optional<std::string_view> header(std::string_view name) const;
  const std::vector<Header>& headers() const { return headers_; }

 private:
  int status_;
  std::vector<Header> headers_;
  std::string body_;
};

}  // namespace ringroom
