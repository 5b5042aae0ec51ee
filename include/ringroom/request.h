// Request: one HTTP request with its body, upgrade requests among them. Made by the server's
// parser, or by hand for tests and for agent().fetch(). Owned by who holds it and then used on one
// thread; a Request& given to a callback is borrowed until that callback returns. Bounded by the
// server's limits for heads (16 KiB) and bodies (8 MiB by default).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringroom {

namespace detail {
struct RequestAccess;
}  // namespace detail

/// One header line. Both views are borrowed from the Request or Response it came from.
struct HeaderView {
  std::string_view name;   ///< as it was sent; compare without case
  std::string_view value;  ///< without the blanks around it
};

/// One field of a form: a text field, or a file if it has a filename. Owns its bytes.
struct FormField {
  std::string name;
  std::string value;  ///< the text, or the bytes of the file
  std::optional<std::string> filename;
  std::string content_type;  ///< of the part; "text/plain" if it names none

  bool is_file() const { return filename.has_value(); }
};

/// A body read as a form. Either `error` is empty, or it says in a sentence for the client's
/// developer why there are no fields; nothing is returned in parts.
struct Form {
  std::vector<FormField> fields;
  std::string error;

  explicit operator bool() const { return error.empty(); }
  /// The first field of that name (exact), or null. Borrowed as the form is.
  const FormField* find(std::string_view name) const;
};

class Request {
 private:
  /// A piece of text_ or url_. 32 bits are plenty: heads are bounded by 16 KiB.
  struct Slice {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  struct Field {
    Slice name;
    Slice value;
  };

 public:
  using HeaderList = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// The headers in the order in which they came; repeated names stay apart. Borrowed.
  class Headers {
   public:
    class Iterator {
     public:
      using iterator_category = std::input_iterator_tag;
      using value_type = HeaderView;
      using difference_type = std::ptrdiff_t;
      using pointer = void;
      using reference = HeaderView;

      HeaderView operator*() const {
        return {request_->view(field_->name), request_->view(field_->value)};
      }
      Iterator& operator++() {
        ++field_;
        return *this;
      }
      Iterator operator++(int) { return Iterator(request_, field_++); }
      friend bool operator==(const Iterator&, const Iterator&) = default;

     private:
      friend class Headers;
      Iterator(const Request* request, const Field* field) : request_(request), field_(field) {}
      const Request* request_;
      const Field* field_;
    };

    Iterator begin() const { return {request_, request_->fields_.data()}; }
    Iterator end() const { return {request_, request_->fields_.data() + size()}; }
    std::size_t size() const { return request_->fields_.size(); }

   private:
    friend class Request;
    explicit Headers(const Request* request) : request_(request) {}
    const Request* request_;
  };

  /// A request made by hand. `url` is complete ("http://host/path?query") or begins with its path,
  /// and then the Host header, else "localhost", is its host. It is normalised as browsers do.
  /// Throws std::invalid_argument for a method, URL or header that HTTP cannot carry.
  Request(std::string_view method,
          std::string_view url,
          HeaderList headers = {},
          std::string body = {});

  /// "GET", "POST", … exactly as sent: methods are case-sensitive.
  std::string_view method() const { return view(method_); }
  /// The complete URL as the server saw it, http://{host}{path}[?{query}], normalised as browsers
  /// do it: dot segments resolved, what may not stand in a URL percent-encoded, fragment cut.
  std::string_view url() const { return url_; }
  /// The request target exactly as it was sent.
  std::string_view target() const { return view(target_); }
  /// The path of url(), still percent-encoded. Begins with a slash.
  std::string_view path() const { return std::string_view(url_).substr(path_.offset, path_.size); }
  /// The query of url() without its question mark, still percent-encoded; empty if there is none.
  std::string_view query_string() const {
    return std::string_view(url_).substr(query_.offset, query_.size);
  }
  /// The first query parameter of that name, decoded as in URLSearchParams: percent escapes, plus
  /// as blank, invalid UTF-8 replaced by U+FFFD. "" for a name without a value.
  std::optional<std::string> query(std::string_view name) const;
  /// "1.1" or "1.0".
  std::string_view http_version() const { return http_1_0_ ? "1.0" : "1.1"; }

  /// The first header of that name, compared without case. Later ones are in headers().
  std::optional<std::string_view> header(std::string_view name) const;
  Headers headers() const { return Headers(this); }
  /// The first cookie of that name (exact), not decoded, without quotes around it.
  std::optional<std::string_view> cookie(std::string_view name) const;
  /// Whether this asks for a WebSocket: the Upgrade header equals "websocket" without case.
  bool is_upgrade() const;

  std::string_view body() const { return body_; }
  /// The body as a form, by its Content-Type: multipart/form-data or
  /// application/x-www-form-urlencoded; at most 1,000 fields. Reads the body anew at each call.
  Form form() const;

  /// Address of the client as "203.0.113.7:51234" or "[2001:db8::1]:51234"; empty if unknown.
  const std::string& peer_address() const { return peer_address_; }
  void set_peer_address(std::string address) { peer_address_ = std::move(address); }

  /// Replaces the headers of that name by this one. Throws std::invalid_argument if the name is not
  /// a token or the value has control characters: neither CR, LF nor NUL gets into a header.
  void set_header(std::string_view name, std::string_view value);
  void set_body(std::string body) { body_ = std::move(body); }

 private:
  friend struct detail::RequestAccess;
  Request() = default;
  std::string_view view(Slice slice) const { return {text_.data() + slice.offset, slice.size}; }
  Slice append(std::string_view text);

  std::string text_;  // the head as received, of which method, target and headers are slices
  std::vector<Field> fields_;
  std::string url_;  // normalised; path and query are slices of it
  std::string body_;
  std::string peer_address_;
  Slice method_;
  Slice target_;
  Slice path_;
  Slice query_;
  bool http_1_0_ = false;
};

}  // namespace ringroom
