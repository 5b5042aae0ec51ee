// Reading: runs bytes, cut into pieces, through a RequestReader as a connection would, and puts
// what came out into one string, so that two ways of cutting are easily compared. Tests only, one
// thread.
#pragma once

#include "codec/http/request_reader.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ringroom::codec::http::testing {

inline std::string describe(const Request& request, const RequestReader& reader) {
  std::string text = std::string(request.method()) + " " + std::string(request.url()) + " HTTP/" +
                     std::string(request.http_version());
  text += reader.keep_alive() ? " keep-alive" : " close";
  text += reader.expects_continue() ? " expects-continue\n" : "\n";
  for (const HeaderView header : request.headers()) {
    text += std::string(header.name) + "=" + std::string(header.value) + "\n";
  }
  return text;
}

class Reading {
 public:
  explicit Reading(RequestReaderOptions options = {}) : reader_(options) {}

  /// A receive: the bytes are copied to a place of their own, which is gone afterwards.
  void receive(std::string_view piece) {
    const std::string copy(piece);
    std::span<const std::byte> input = std::as_bytes(std::span(copy));
    while (!stopped_ && step(input)) {
    }
    if (stopped_) {
      rest_ += std::string_view(reinterpret_cast<const char*>(input.data()), input.size());
    }
  }

  /// Everything that happened, and what an upgrade left unread.
  std::string log() const { return refused_ ? log_ : log_ + "rest=" + rest_; }
  std::size_t requests() const { return requests_; }
  const RequestReader& reader() const { return reader_; }

 private:
  bool step(std::span<const std::byte>& input) {
    switch (reader_.feed(input)) {
      case ReadStatus::need_more: return false;
      case ReadStatus::head:
        log_ += describe(reader_.request(), reader_);
        headers_ = reader_.request().headers().size();
        stopped_ = reader_.request().is_upgrade();
        return true;
      case ReadStatus::complete: {
        ++requests_;
        const Request request = reader_.take_request();
        log_ += request.headers().size() == headers_ ? "body=" : "more headers, body=";
        log_ += std::string(request.body()) + "\n";
        return true;
      }
      case ReadStatus::refused:
        log_ += std::to_string(reader_.refusal().status) + " " +
                std::string(reader_.refusal().text) + "\n";
        refused_ = stopped_ = true;
        return true;
    }
    return false;
  }

  RequestReader reader_;
  std::string log_;
  std::string rest_;
  std::size_t requests_ = 0;
  std::size_t headers_ = 0;  // of the last head
  bool stopped_ = false;
  bool refused_ = false;
};

inline std::string read_whole(std::string_view bytes, RequestReaderOptions options = {}) {
  Reading reading(options);
  reading.receive(bytes);
  return reading.log();
}

inline std::string read_in_pieces(std::string_view bytes,
                                  std::size_t piece_bytes,
                                  RequestReaderOptions options = {}) {
  Reading reading(options);
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
    reading.receive(bytes.substr(at, piece_bytes));
  }
  return reading.log();
}

inline std::string read_cut_at(std::string_view bytes,
                               std::size_t cut,
                               RequestReaderOptions options = {}) {
  Reading reading(options);
  reading.receive(bytes.substr(0, cut));
  reading.receive(bytes.substr(cut));
  return reading.log();
}

}  // namespace ringroom::codec::http::testing
