// Socket: the client's WebSocket over Poco's, with whole messages and envelopes. Owned by the run
// of ringroom connect, on its thread. A message is bounded by message_bytes_max.
#pragma once

#include "connect/options.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::connect {

struct Received {
  enum class Kind : std::uint8_t { nothing, text, binary, closed, broken };
  Kind kind = Kind::nothing;
  std::vector<std::byte> bytes{};  // as aligned as an envelope wants to be
  std::uint16_t code = 0;          // of closed
  std::string reason{};
};

class Socket {
 public:
  static constexpr int message_bytes_max = 64 << 20;

  /// Connects; throws Poco::Exception with the reason.
  explicit Socket(const Options& options);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int descriptor() const;
  /// The subprotocol that the server chose.
  const std::string& protocol() const { return protocol_; }
  /// Whether receive() has something without waiting.
  bool has_input() const;
  /// The next frame; nothing if that was none that anybody wants to see. Answers pings and closes.
  Received receive();
  void send(std::span<const std::byte> bytes, bool is_text);
  void close();

 private:
  struct Body;
  std::unique_ptr<Body> body_;
  std::string protocol_;
};

}  // namespace ringroom::connect
