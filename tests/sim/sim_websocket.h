// SimWebSocket: a WebSocket client for simulations: shakes hands over a SimClient, sends masked
// frames, whole or in fragments and in pieces of any size, and collects what comes back. Owned by a
// test; one thread.
#pragma once

#include "base/random.h"
#include "codec/ws/decoder.h"
#include "codec/ws/frame.h"
#include "sim_world.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::sim {

class SimWebSocket {
 public:
  /// `seed` is for mask keys and cuts. The request goes out with the first step().
  SimWebSocket(SimClient client, std::string_view path, std::uint64_t seed);

  SimClient& client() { return client_; }
  const SimClient& client() const { return client_; }

  // ---- Sending: queued here, written by step().

  /// One message. `fragments`: how many frames it is cut into, at least 1.
  void send(std::string_view payload, bool is_text = true, std::size_t fragments = 1);
  void ping(std::string_view payload);
  void send_close(std::uint16_t code, std::string_view reason = {});
  /// Bytes that are no frame.
  void send_raw(std::string_view bytes);

  /// Writes up to `bytes_max` of what is queued, then reads what has arrived.
  void step(std::size_t bytes_max = SIZE_MAX, bool read = true);
  void read();
  std::size_t queued_bytes() const { return output_.size() - output_written_; }
  /// Vanishes: RST, with whatever was queued lost.
  void reset();
  /// FIN, with whatever was queued lost.
  void vanish();

  // ---- What came back.

  /// Of the answer to the upgrade; 0 before it is there.
  int status() const { return status_; }
  bool is_open() const { return status_ == 101 && !close_code_ && !is_over(); }
  /// Text and binary messages in order.
  const std::vector<std::string>& messages() const { return messages_; }
  const std::vector<std::string>& pongs() const { return pongs_; }
  /// The server's close frame; 1005 if it had no code.
  std::optional<std::uint16_t> close_code() const { return close_code_; }
  /// The server broke the protocol: why.
  const std::string& fault() const { return fault_; }
  /// Nothing more will come.
  bool is_over() const { return gone_ || client_.saw_reset(); }
  bool was_reset() const { return reset_ || client_.saw_reset(); }
  bool sent_close() const { return close_sent_; }
  /// The answer to a plain request, as it is on the wire; and its body.
  const std::string& response() const { return head_; }

 private:
  void frame(codec::ws::Opcode opcode, std::string_view payload, bool fin);
  void take(std::vector<std::byte> bytes);
  void take_head(std::vector<std::byte>& bytes);
  void take_event(const codec::ws::Event& event);

  SimClient client_;
  base::Random random_;
  std::string output_;
  std::size_t output_written_ = 0;
  std::string head_;
  int status_ = 0;
  codec::ws::Decoder decoder_;
  std::vector<std::string> messages_;
  std::vector<std::string> pongs_;
  std::optional<std::uint16_t> close_code_;
  std::string fault_;
  bool close_sent_ = false;
  bool reset_ = false;
  bool gone_ = false;
};

}  // namespace ringroom::sim
