#include "codec/http/request_reader.h"

#include "base/assert.h"
#include "codec/http/characters.h"
#include "codec/http/request_access.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace ringroom::codec::http {

namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using ringroom::detail::RequestAccess;

constexpr Refusal line_too_long{400, "ERROR: A chunk line or the trailers are too long."};

std::string_view to_view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::string_view to_view(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Beast looks for the end of a quoted string beyond the end of its line, so what it makes of one
/// depends on how much has arrived. Nobody sends them; they are refused.
bool has_quoted_extension(std::string_view chunk_line) {
  if (chunk_line.starts_with("\r\n")) {
    chunk_line.remove_prefix(2);  // of the chunk before
  }
  return chunk_line.substr(0, chunk_line.find('\r')).find('"') != std::string_view::npos;
}

Refusal refusal_of(const error_code& error) {
  if (error == beast_http::error::body_limit) {
    return {413, "ERROR: The request body is too large."};
  }
  return {400, "ERROR: The request is malformed."};
}

}  // namespace

/// Beast's parser, writing into our Request instead of a container of its own.
class RequestReader::Parser final : public beast_http::basic_parser<true> {
 public:
  Parser(Request& request, std::uint64_t body_bytes_max) : request_(request) {
    // A head is complete and within its limit before the parser sees it, and trailers are bounded
    // by chunk_line_bytes_max.
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(body_bytes_max);
  }

  std::size_t put_bytes(std::string_view bytes, error_code& error) {
    if (is_at_chunk_line() && has_quoted_extension(bytes)) {
      error = beast_http::error::bad_chunk_extension;
      return 0;
    }
    // Beast asserts that a last chunk which was incomplete has grown to five bytes.
    if (is_at_chunk_line() && bytes.size() < 5 && bytes.starts_with("0\r\n")) {
      error = beast_http::error::need_more;
      return 0;
    }
    return put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  }
  /// Not in the data of a chunk, but where a size, or the trailers, are next.
  bool is_at_chunk_line() const { return has_head_ && chunked() && chunk_bytes_left_ == 0; }
  bool expects_continue() const { return expects_continue_; }
  bool expects_else() const { return expects_else_; }

 private:
  void on_request_impl(beast_http::verb,
                       boost::beast::string_view method,
                       boost::beast::string_view target,
                       int version,
                       error_code&) override {
    RequestAccess::set_request_line(request_, to_view(method), to_view(target), version == 10);
  }
  void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}
  void on_field_impl(beast_http::field field,
                     boost::beast::string_view name,
                     boost::beast::string_view value,
                     error_code&) override {
    if (has_head_) {
      return;  // a trailer
    }
    RequestAccess::add_header(request_, to_view(name), to_view(value));
    if (field == beast_http::field::expect) {
      const bool is_continue = equals_ignoring_case(to_view(value), "100-continue");
      (is_continue ? expects_continue_ : expects_else_) = true;
    }
  }
  void on_header_impl(error_code&) override { has_head_ = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(boost::beast::string_view bytes, error_code&) override {
    RequestAccess::body(request_) += to_view(bytes);
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t size,
                            boost::beast::string_view extensions,
                            error_code& error) override {
    chunk_bytes_left_ = size;
    extension_bytes_ += extensions.size();
    const bool malformed = !extensions.empty() && extensions.front() != ';';
    if (malformed || has_control(to_view(extensions)) ||
        extension_bytes_ > chunk_extensions_bytes_max) {
      error = beast_http::error::bad_chunk_extension;
    }
  }
  std::size_t on_chunk_body_impl(std::uint64_t,
                                 boost::beast::string_view bytes,
                                 error_code& error) override {
    chunk_bytes_left_ -= bytes.size();
    return on_body_impl(bytes, error);
  }
  void on_finish_impl(error_code&) override {}

  Request& request_;
  std::size_t extension_bytes_ = 0;
  std::uint64_t chunk_bytes_left_ = 0;
  bool has_head_ = false;
  bool expects_continue_ = false;
  bool expects_else_ = false;
};

RequestReader::RequestReader(RequestReaderOptions options)
    : options_(options), request_(RequestAccess::make()) {}

RequestReader::~RequestReader() = default;

ReadStatus RequestReader::feed(std::span<const std::byte>& input) {
  ASSERT(phase_ != Phase::complete);
  switch (phase_) {
    case Phase::idle:
    case Phase::head: return feed_head(input);
    case Phase::body: return feed_body(input);
    case Phase::complete:
    case Phase::refused: break;
  }
  return ReadStatus::refused;
}

Request RequestReader::take_request() {
  ASSERT(phase_ == Phase::body || phase_ == Phase::complete);
  Request taken = std::move(request_);
  request_ = RequestAccess::make();
  parser_.reset();
  std::string().swap(unparsed_);
  scanner_.reset();
  empty_line_bytes_ = 0;
  phase_ = Phase::idle;
  return taken;
}

ReadStatus RequestReader::refuse(Refusal refusal) {
  refusal_ = refusal;
  request_ = RequestAccess::make();
  parser_.reset();
  std::string().swap(unparsed_);
  phase_ = Phase::refused;
  return ReadStatus::refused;
}

/// One empty line before a request is ignored, for clients that end a body with it (RFC 9112 §2.2).
/// A CR without its LF is then found by the scanner.
void RequestReader::skip_empty_line(std::span<const std::byte>& input) {
  constexpr std::string_view empty_line = "\r\n";
  while (empty_line_bytes_ < empty_line.size() && !input.empty() &&
         static_cast<char>(input.front()) == empty_line[empty_line_bytes_]) {
    ++empty_line_bytes_;
    input = input.subspan(1);
  }
}

ReadStatus RequestReader::feed_head(std::span<const std::byte>& input) {
  if (phase_ == Phase::idle) {
    skip_empty_line(input);
    if (input.empty()) {
      return ReadStatus::need_more;
    }
    if (empty_line_bytes_ == 1) {
      return refuse({400, "ERROR: Lines must end with CR LF."});
    }
    phase_ = Phase::head;
  }
  std::string& text = RequestAccess::text(request_);
  const auto piece = input.first(std::min(input.size(), options_.head_bytes_max - text.size()));
  const HeadScanner::Scan scan = scanner_.scan(piece);
  if (scan.result == HeadScanner::Result::refused) {
    return refuse(scanner_.refusal());
  }
  text += to_view(piece.first(scan.bytes));
  input = input.subspan(scan.bytes);
  if (scan.result == HeadScanner::Result::complete) {
    return parse_head();
  }
  if (text.size() >= options_.head_bytes_max) {
    return refuse({431, "ERROR: The request head is too large."});
  }
  return ReadStatus::need_more;
}

ReadStatus RequestReader::parse_head() {
  std::string& text = RequestAccess::text(request_);
  const HeadCheck check = check_head(text);
  if (check.refusal) {
    return refuse(*check.refusal);
  }
  RequestAccess::reserve_headers(request_, check.headers);
  has_body_ = check.has_body;
  if (!has_body_) {
    Parser parser(request_, options_.body_bytes_max);  // an upgrade needs none on the heap
    return run_head_parser(parser, check);
  }
  parser_ = std::make_unique<Parser>(request_, options_.body_bytes_max);
  return run_head_parser(*parser_, check);
}

ReadStatus RequestReader::run_head_parser(Parser& parser, const HeadCheck& check) {
  error_code error;
  const std::string_view text = RequestAccess::text(request_);
  const std::size_t consumed = parser.put_bytes(text, error);
  if (error) {
    return refuse(refusal_of(error));
  }
  ASSERT(consumed == text.size() && parser.is_done() != has_body_);
  if (parser.expects_else()) {
    return refuse({417, "ERROR: The only expectation met is 100-continue."});
  }
  keep_alive_ = parser.keep_alive();
  expects_continue_ = parser.expects_continue() && has_body_ && request_.http_version() == "1.1";
  RequestAccess::set_url(request_, check.host, check.target);
  phase_ = Phase::body;
  return ReadStatus::head;
}

ReadStatus RequestReader::feed_body(std::span<const std::byte>& input) {
  while (has_body_ && !parser_->is_done()) {
    if (input.empty()) {
      return ReadStatus::need_more;
    }
    if (const std::optional<Refusal> refusal = put_body(input)) {
      return refuse(*refusal);
    }
  }
  parser_.reset();
  phase_ = Phase::complete;
  return ReadStatus::complete;
}

/// Gives the parser one element: a piece of the body, a chunk's line, or the last line with the
/// trailers. What it cannot take yet, being cut, is kept in unparsed_ until more arrives.
std::optional<Refusal> RequestReader::put_body(std::span<const std::byte>& input) {
  const std::size_t kept = unparsed_.size();
  // A line is too long in whatever pieces it came, so the parser never sees more of one.
  const std::size_t bytes_max =
      parser_->is_at_chunk_line() ? chunk_line_bytes_max - kept : input.size();
  const auto piece = input.first(std::min(input.size(), bytes_max));
  if (kept > 0) {
    unparsed_ += to_view(piece);
  }
  error_code error;
  const std::size_t consumed = parser_->put_bytes(kept > 0 ? unparsed_ : to_view(piece), error);
  if (error == beast_http::error::need_more) {
    if (kept == 0) {
      unparsed_ = to_view(piece);
    }
    input = input.subspan(piece.size());
    return unparsed_.size() < chunk_line_bytes_max ? std::nullopt : std::optional(line_too_long);
  }
  if (error) {
    return refusal_of(error);
  }
  ASSERT(consumed > kept);
  input = input.subspan(consumed - kept);
  unparsed_.clear();
  return std::nullopt;
}

}  // namespace ringroom::codec::http
