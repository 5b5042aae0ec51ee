// The strict check of a raw request head, before the library's parser sees it: every shape that two
// servers could read differently is refused (request smuggling, RFC 9112 §11.2). Boost.Beast 1.74
// takes several of them. Any thread; no allocation; bounded by the head.
#pragma once

#include "codec/http/refusal.h"
#include "codec/http/url.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ringroom::codec::http {

/// Headers of one request; more are refused with 431.
inline constexpr std::size_t headers_max = 256;

/// Finds the end of a head in bytes that come in any pieces, and refuses NUL, other controls, bare
/// CR and bare LF at the byte where they stand.
class HeadScanner {
 public:
  enum class Result : std::uint8_t { need_more, complete, refused };
  struct Scan {
    Result result;
    std::size_t bytes;  ///< consumed of the piece; up to and with the empty line when complete
  };
  /// After `complete` or `refused` only reset() may follow.
  Scan scan(std::span<const std::byte> piece);
  /// Why; only after `refused`.
  Refusal refusal() const;
  void reset() { *this = HeadScanner(); }

 private:
  bool after_cr_ = false;       // the last byte was CR
  std::uint8_t line_ends_ = 0;  // CRLFs without a byte between them
  bool bad_line_end_ = false;   // refused for a bare CR or LF, not for a control
};

/// What the check found out and the reader needs. Views of the head.
struct HeadCheck {
  std::optional<Refusal> refusal;  ///< if set, the rest means nothing
  std::size_t headers = 0;
  TargetParts target;
  std::string_view host;  ///< of the target's authority, else of the Host header, else "localhost"
  bool has_body = false;  ///< a Content-Length above 0, or chunked
};

/// `head` goes from the method to the empty line, both included, and has passed a HeadScanner.
/// Refused with 400: obs-fold, blanks before a colon, names that are no tokens, bad methods and
/// targets, a missing (1.1), empty, invalid or second Host, Content-Length that is not one number
/// or is there twice or beside a Transfer-Encoding, any Transfer-Encoding but exactly one `chunked`
/// or in HTTP/1.0. With 505: versions but 1.0 and 1.1. With 431: more than headers_max headers.
HeadCheck check_head(std::string_view head);

}  // namespace ringroom::codec::http
