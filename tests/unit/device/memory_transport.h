// A transport of bytes in memory, as a device's caller might have one: what the other side says is
// put into `incoming`, cut into pieces of at most `piece_bytes`; what the device says is in `sent`.
// Any one thread.
#pragma once

#include "codec/http/upgrade.h"
#include "ringroom/device.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::device::testing {

class MemoryTransport final : public Transport {
 public:
  int connect() override {
    ++connects;
    return connected;
  }
  long read(void* to, std::size_t bytes_max) override {
    const std::size_t bytes = std::min({bytes_max, piece_bytes, incoming.size()});
    if (bytes == 0) return is_cut ? -1 : 0;
    std::memcpy(to, incoming.data(), bytes);
    incoming.erase(0, bytes);
    return static_cast<long>(bytes);
  }
  long write(const void* from, std::size_t bytes) override {
    if (is_cut) return -1;
    const std::size_t taken = std::min({bytes, write_bytes, write_room});
    sent.append(static_cast<const char*>(from), taken);
    if (write_room != SIZE_MAX) write_room -= taken;
    return static_cast<long>(taken);
  }
  void close() override {
    ++closes;
    incoming.clear();
    is_cut = false;
  }
  std::uint32_t random() override { return random_ = random_ * 1664525U + 1013904223U; }

  /// What a server answers to the request in `sent`, which is taken.
  std::string answer() {
    const std::size_t key = sent.find("Sec-WebSocket-Key: ") + 19;
    const auto accept = codec::http::make_accept_key(std::string_view(sent).substr(key, 24));
    sent.clear();
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "sec-websocket-ACCEPT: " +
           std::string(accept.data(), accept.size()) + "\r\n\r\n";
  }

  std::string incoming;
  std::string sent;
  std::size_t piece_bytes = SIZE_MAX;
  std::size_t write_bytes = SIZE_MAX;
  std::size_t write_room = SIZE_MAX;  // what it takes until somebody makes room
  int connected = 1;
  int connects = 0;
  int closes = 0;
  bool is_cut = false;

 private:
  std::uint32_t random_ = 1;
};

/// What a device was told, one word after the other.
class Log final : public Handler {
 public:
  void on_open() override { told.emplace_back("open"); }
  void on_message(const Message& message) override {
    std::string text(message.type, message.type_bytes);
    text += ':';
    text.append(reinterpret_cast<const char*>(message.payload), message.payload_bytes);
    told.push_back(text);
  }
  void on_missed(std::uint32_t count) override {
    told.push_back("missed " + std::to_string(count));
  }
  void on_close(std::uint16_t code) override { told.push_back("close " + std::to_string(code)); }

  std::vector<std::string> take() { return std::exchange(told, {}); }

 private:
  std::vector<std::string> told;
};

}  // namespace ringroom::device::testing
