#include "sim_websocket.h"

#include "codec/ws/encoder.h"
#include "codec/ws/mask.h"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

namespace ringroom::sim {

using codec::ws::Event;
using codec::ws::Opcode;

SimWebSocket::SimWebSocket(SimClient client, std::string_view path, std::uint64_t seed)
    : client_(std::move(client)), random_(seed) {
  output_ = "GET " + std::string(path) +
            " HTTP/1.1\r\nHost: sim.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
}

void SimWebSocket::send(std::string_view payload, bool is_text, std::size_t fragments) {
  Opcode opcode = is_text ? Opcode::text : Opcode::binary;
  for (; fragments > 1; --fragments) {
    const std::size_t bytes = random_.next() % (payload.size() + 1);
    frame(opcode, payload.substr(0, bytes), false);
    payload.remove_prefix(bytes);
    opcode = Opcode::continuation;
    if (random_.next() % 4 == 0) ping("between");
  }
  frame(opcode, payload, true);
}

void SimWebSocket::ping(std::string_view payload) {
  frame(Opcode::ping, payload, true);
}

void SimWebSocket::send_close(std::uint16_t code, std::string_view reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload += reason;
  frame(Opcode::close, payload, true);
  close_sent_ = true;
}

void SimWebSocket::send_raw(std::string_view bytes) {
  output_ += bytes;
}

void SimWebSocket::frame(Opcode opcode, std::string_view payload, bool fin) {
  if (close_sent_) return;
  const auto key = static_cast<codec::ws::MaskKey>(random_.next());
  std::byte header[codec::ws::header_bytes_max];
  const std::size_t bytes =
      codec::ws::encode_masked_header(header, opcode, payload.size(), key, fin);
  output_.append(reinterpret_cast<const char*>(header), bytes);
  const std::size_t at = output_.size();
  output_ += payload;
  codec::ws::unmask(reinterpret_cast<std::byte*>(output_.data() + at), payload.size(), key);
}

void SimWebSocket::step(std::size_t bytes_max, bool read) {
  if (!gone_ && queued_bytes() != 0) {
    const std::size_t bytes = std::min(bytes_max, queued_bytes());
    client_.write(std::string_view(output_).substr(output_written_, bytes));
    output_written_ += bytes;
    if (output_written_ == output_.size()) {
      output_.clear();
      output_written_ = 0;
    }
  }
  if (read) this->read();
}

void SimWebSocket::read() {
  if (gone_) return;
  take(client_.read());
  // As every client does when the server has closed.
  if (client_.saw_fin() && output_.empty()) {
    client_.close();
    gone_ = true;
  }
}

void SimWebSocket::reset() {
  client_.reset();
  reset_ = true;
  gone_ = true;
}

void SimWebSocket::vanish() {
  client_.close();
  gone_ = true;
}

void SimWebSocket::take(std::vector<std::byte> bytes) {
  if (status_ != 101) take_head(bytes);
  if (status_ != 101) return;
  if (close_code_ && !bytes.empty()) fault_ = "bytes behind the close frame";
  std::span<std::byte> input = bytes;
  while (true) {
    const Event event = decoder_.next(
        input, {.message_bytes_max = std::size_t{16} << 20U, .role = codec::ws::Role::client});
    if (event.kind == Event::Kind::need_more) return;
    take_event(event);
    if (close_code_ && !input.empty()) fault_ = "bytes behind the close frame";
  }
}

void SimWebSocket::take_head(std::vector<std::byte>& bytes) {
  head_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  bytes.clear();
  const std::size_t end = head_.find("\r\n\r\n");
  if (end == std::string::npos) return;
  status_ = std::atoi(head_.c_str() + std::string_view("HTTP/1.1 ").size());
  if (status_ != 101) return;
  const auto rest = std::as_bytes(std::span(head_).subspan(end + 4));
  bytes.assign(rest.begin(), rest.end());
  head_.resize(end + 4);
}

void SimWebSocket::take_event(const Event& event) {
  const std::string_view payload(reinterpret_cast<const char*>(event.payload.data()),
                                 event.payload.size());
  switch (event.kind) {
    case Event::Kind::message: messages_.emplace_back(payload); return;
    case Event::Kind::ping: frame(Opcode::pong, payload, true); return;
    case Event::Kind::pong: pongs_.emplace_back(payload); return;
    case Event::Kind::close:
      close_code_ = event.close_code;
      // What is queued and not written yet may not follow our answer; the answer goes first.
      if (!close_sent_) send_close(event.close_code == 1005 ? 1000 : event.close_code);
      return;
    case Event::Kind::error: fault_ = std::string(event.reason); return;
    case Event::Kind::need_more: return;
  }
}

}  // namespace ringroom::sim
