// RequestReader: bytes in, HTTP/1.x requests out. One for each connection that speaks HTTP, owned
// by it, on its shard's thread; no I/O. A head is bounded by head_bytes_max, a body by
// body_bytes_max, chunk lines and trailers by constants below; memory follows what has arrived, not
// what a Content-Length promises. Between requests it holds no buffer.
#pragma once

#include "codec/http/refusal.h"
#include "codec/http/strict_head.h"
#include "ringroom/limits.h"
#include "ringroom/request.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace ringroom::codec::http {

struct RequestReaderOptions {
  std::size_t head_bytes_max = limits::request_head_bytes_max;
  std::uint64_t body_bytes_max = limits::body_bytes_max_default;
};

/// One chunk's size line with its extensions, or the last chunk with all its trailers.
inline constexpr std::size_t chunk_line_bytes_max = 8 * limits::KiB;
/// Chunk extensions of one request together; they are dropped.
inline constexpr std::size_t chunk_extensions_bytes_max = 16 * limits::KiB;

enum class ReadStatus : std::uint8_t {
  need_more,  ///< all of the input was consumed and no event is due
  head,       ///< request() has everything but its body: decide, then feed() again for the body
  complete,   ///< the body is there too: take_request()
  refused,    ///< refusal() is to be answered and the connection closed; every later feed() says so
};

class RequestReader {
 public:
  explicit RequestReader(RequestReaderOptions options = {});
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Consumes from the front of `input` up to the next event. Bytes behind it stay in `input`:
  /// after `head` they are the body, or the WebSocket frames behind an upgrade; after `complete`
  /// the next, pipelined request. A request without a body is `head` and, at the next call, which
  /// may have no input, `complete`. After `complete`, take_request() must come before the next
  /// feed().
  ReadStatus feed(std::span<const std::byte>& input);

  /// From `head` on until take_request(). Borrowed.
  const Request& request() const { return request_; }
  /// Moves the request out, after `complete`, or after `head` if it is an upgrade or will not be
  /// read further; the reader is then as new. keep_alive() still tells of the request taken.
  Request take_request();

  /// From `head` on: the client waits for 100 Continue before it sends its body (RFC 9110 §10.1.1).
  bool expects_continue() const { return expects_continue_; }
  /// From `head` on: whether the connection may be used again after the answer.
  bool keep_alive() const { return keep_alive_; }
  /// From `head` on: whether a body follows (even if its first bytes have not arrived).
  bool has_body() const { return has_body_; }
  /// No byte of a request has arrived since the last one was taken.
  bool is_idle() const { return phase_ == Phase::idle; }
  /// Only after `refused`.
  const Refusal& refusal() const { return refusal_; }

 private:
  class Parser;
  enum class Phase : std::uint8_t { idle, head, body, complete, refused };

  ReadStatus feed_head(std::span<const std::byte>& input);
  ReadStatus feed_body(std::span<const std::byte>& input);
  ReadStatus parse_head();
  ReadStatus refuse(Refusal refusal);
  ReadStatus run_head_parser(Parser& parser, const HeadCheck& check);
  void skip_empty_line(std::span<const std::byte>& input);
  std::optional<Refusal> put_body(std::span<const std::byte>& input);

  RequestReaderOptions options_;
  Phase phase_ = Phase::idle;
  bool expects_continue_ = false;
  bool keep_alive_ = false;
  bool has_body_ = false;
  std::uint8_t empty_line_bytes_ = 0;  // of the one CRLF that may stand before a request
  HeadScanner scanner_;
  Request request_;                 // its text grows while the head arrives
  std::unique_ptr<Parser> parser_;  // only while a body is read
  std::string unparsed_;            // the beginning of a chunk line or of the trailers
  Refusal refusal_;
};

}  // namespace ringroom::codec::http
