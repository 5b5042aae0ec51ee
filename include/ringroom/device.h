// Device: a client of one room for small devices that speak binary only. C++17 and the C library;
// no exceptions, no RTTI, and no heap: all its state is in the object, at most 4 KiB with the
// default buffers. The caller owns it, gives it a Transport and calls poll(); everything happens on
// the caller's thread. It connects with ?protocol=binary, answers pings, reconnects with jittered
// back-off and goes on with its sequence numbers.
#pragma once

#include "ringroom/device_wire.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ringroom::device {

/// The bytes, the clock's other half: what the device has. Nothing may block for long.
class Transport {
 public:
  /// Begins a connection, or goes on with it: 1 connected, 0 not yet, -1 failed.
  virtual int connect() = 0;
  /// Bytes read, 0 if there are none now, -1 if the connection is over.
  virtual long read(void* to, std::size_t bytes_max) = 0;
  /// Bytes taken, 0 if there is no room now, -1 if the connection is over.
  virtual long write(const void* from, std::size_t bytes) = 0;
  virtual void close() = 0;
  /// Hard to guess (RFC 6455 §5.3).
  virtual std::uint32_t random() = 0;

 protected:
  ~Transport() = default;
};

/// What the device is told, from inside of its functions. May send and queue, but not poll().
class Handler {
 public:
  virtual void on_open() {}
  /// A binary message, or one of an envelope; then it may have a type.
  virtual void on_message(const Message&) {}
  /// The server dropped so many messages, because they weren't read.
  virtual void on_missed(std::uint32_t) {}
  /// The connection is over; the next one is on its way. 1006: without a close frame.
  virtual void on_close(std::uint16_t) {}

 protected:
  ~Handler() = default;
};

/// Strings are borrowed for the life of the device.
struct Options {
  const char* host = "127.0.0.1:8787";
  const char* path = "/agents/io-t-agent/device";  ///< may have a query
  bool batch = true;                     ///< envelopes (?batch=fb); else one message a frame
  std::uint32_t flush_after_ms = 50;     ///< of queue()
  std::uint32_t backoff_first_ms = 500;  ///< doubles with each failure; half of it is random
  std::uint32_t backoff_max_ms = 60'000;
  std::uint32_t handshake_timeout_ms = 10'000;
  std::uint32_t ping_every_ms = 20'000;  ///< of silence; after twice that the connection is lost
  std::uint64_t first_sequence = 1;      ///< of the first envelope: what was kept over a restart
};

/// `receive_bytes` is the largest message or envelope that it hears, with 4 bytes of header: a
/// larger one ends the connection with 1009. A room keeps below it with Connection::set_batching().
template <std::size_t send_bytes = 1536,
          std::size_t receive_bytes = 1280,
          std::size_t queue_bytes = 896>
class Device {
 public:
  enum class State : std::uint8_t { waiting, connecting, handshaking, open };

  Device(Transport& transport, Handler& handler, const Options& options)
      : transport_(transport),
        handler_(handler),
        options_(options),
        sequence_(options.first_sequence) {}
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// Does what there is to do; call it when the transport has something, and every few
  /// milliseconds. `now_ms` is any clock that doesn't go back; it may wrap around.
  void poll(std::uint32_t now_ms) {
    now_ms_ = now_ms;
    if (state_ == State::waiting && !is_stopped_ && (!has_retry_ || is_past(retry_at_ms_))) {
      state_ = State::connecting;
      deadline_ms_ = now_ms + options_.handshake_timeout_ms;
    }
    if (state_ == State::connecting) connect();
    if (state_ == State::handshaking || state_ == State::open) exchange();
  }

  /// Sends one message at once, behind what is queued. False: there is no room for it or no
  /// connection, and it is not kept.
  bool send(const char* type, const void* payload, std::size_t bytes) {
    if (state_ != State::open) return false;
    if (!options_.batch) return put_frame(opcode_binary, payload, bytes) && write_out();
    if (!queue(type, payload, bytes)) return false;
    flush();
    return true;
  }

  /// Keeps a message for the next envelope, also while there is no connection. False: the queue is
  /// full, and the message is not kept. Without envelopes it is send().
  bool queue(const char* type, const void* payload, std::size_t bytes) {
    if (!options_.batch) return send(type, payload, bytes);
    const std::size_t type_bytes = std::strlen(type);
    const std::size_t needed = 3 + type_bytes + bytes;
    const std::size_t wire_bytes = wire::envelope_message_bytes(type_bytes, bytes);
    if (type_bytes > 255 || envelope_bytes_ + wire_bytes > envelope_bytes_max ||
        needed > queue_bytes - queue_used_) {
      return false;
    }
    if (queued_ == 0) queued_at_ms_ = now_ms_;
    std::uint8_t* at = queue_ + queue_used_;
    at[0] = static_cast<std::uint8_t>(type_bytes);
    wire::put16(at + 1, static_cast<std::uint32_t>(bytes));
    std::memcpy(at + 3, type, type_bytes);
    if (bytes > 0) std::memcpy(at + 3 + type_bytes, payload, bytes);
    queue_used_ += needed;
    envelope_bytes_ += wire_bytes;
    ++queued_;
    return true;
  }

  /// Sends what is queued. False: it couldn't yet, and will at the next poll().
  bool flush() {
    if (queued_ == 0) return true;
    if (state_ != State::open) return false;
    std::uint8_t* frame = begin_frame(envelope_bytes_);
    if (frame == nullptr) return false;
    const std::size_t header =
        wire::put_header(frame, opcode_binary, envelope_bytes_, transport_.random());
    wire::EnvelopeWriter writer(frame + header, 0, sequence_++, missed_, queued_);
    for (std::size_t at = 0; at < queue_used_;) {
      const std::size_t type_bytes = queue_[at];
      const std::size_t payload_bytes = wire::get16(queue_ + at + 1);
      const std::uint8_t* type = queue_ + at + 3;
      writer.add(
          {reinterpret_cast<const char*>(type), type_bytes, type + type_bytes, payload_bytes});
      at += 3 + type_bytes + payload_bytes;
    }
    wire::mask_payload(frame + header, envelope_bytes_, frame + header - 4);
    end_frame(header + envelope_bytes_);
    in_flight_ += queued_;
    missed_ = 0;
    clear_queue();
    return write_out();
  }

  /// Ends the connection for good with a close frame.
  void stop() {
    if (state_ == State::open && put_close(1000)) write_out();
    if (state_ != State::waiting) transport_.close();
    state_ = State::waiting;
    is_stopped_ = true;
  }

  State state() const { return state_; }
  bool is_open() const { return state_ == State::open; }
  /// Of the next envelope: to be kept over a restart.
  std::uint64_t next_sequence() const { return sequence_; }
  std::size_t queued() const { return queued_; }

 private:
  static constexpr std::uint8_t opcode_continuation = 0;
  static constexpr std::uint8_t opcode_binary = 2;
  static constexpr std::uint8_t opcode_close = 8;
  static constexpr std::uint8_t opcode_ping = 9;
  static constexpr std::uint8_t opcode_pong = 10;
  static constexpr std::size_t header_bytes_max = 8;
  static constexpr std::size_t control_bytes_max = 125;
  // An envelope leaves room for a pong and a close.
  static constexpr std::size_t envelope_bytes_max =
      send_bytes - header_bytes_max - 2 * (header_bytes_max + control_bytes_max);
  static_assert(send_bytes >= 512 && send_bytes <= 65'535,
                "a request must fit, and a length of 16 bits");
  static_assert(receive_bytes >= 256, "a control frame must fit");

  bool is_past(std::uint32_t at_ms) const {
    return static_cast<std::int32_t>(now_ms_ - at_ms) >= 0;
  }

  void connect() {
    const int connected = transport_.connect();
    if (connected < 0 || (connected == 0 && is_past(deadline_ms_))) return lost(1006);
    if (connected == 0) return;
    state_ = State::handshaking;
    out_used_ = in_used_ = assembled_ = 0;
    if (!write_request()) lost(1006);
  }

  /// Writes, reads, and looks at the time.
  void exchange() {
    if (!write_out()) return;
    for (int pieces = 0; pieces < 8; ++pieces) {
      if (in_used_ == receive_bytes) return state_ == State::open ? fail(1009) : lost(1006);
      const long got = transport_.read(in_ + in_used_, receive_bytes - in_used_);
      if (got < 0) return lost(1006);
      if (got == 0) break;
      in_used_ += static_cast<std::size_t>(got);
      heard_at_ms_ = now_ms_;
      pinged_ = false;
      if (state_ == State::handshaking) read_head();
      while (state_ == State::open && read_frame()) {
      }
      if (state_ != State::open && state_ != State::handshaking) return;
    }
    if (state_ == State::handshaking) {
      if (is_past(deadline_ms_)) lost(1006);
      return;
    }
    if (queued_ > 0 && is_past(queued_at_ms_ + options_.flush_after_ms)) flush();
    keep_alive();
  }

  void keep_alive() {
    if (state_ != State::open || options_.ping_every_ms == 0) return;
    if (is_past(heard_at_ms_ + 2 * options_.ping_every_ms)) return lost(1006);
    if (pinged_ || !is_past(heard_at_ms_ + options_.ping_every_ms)) return;
    pinged_ = put_frame(opcode_ping, nullptr, 0);
    write_out();
  }

  // ---- The handshake

  bool append(const char* text) {
    const std::size_t bytes = std::strlen(text);
    if (bytes > send_bytes - out_used_) return false;
    std::memcpy(out_ + out_used_, text, bytes);
    out_used_ += bytes;
    return true;
  }

  bool write_request() {
    std::uint8_t nonce[16];
    for (std::size_t i = 0; i < 16; i += 4) wire::put32(nonce + i, transport_.random());
    wire::base64(nonce, sizeof(nonce), key_);
    key_[wire::key_characters] = 0;
    const char* joint = std::strchr(options_.path, '?') == nullptr ? "?" : "&";
    return append("GET ") && append(options_.path) && append(joint) && append("protocol=binary") &&
           append(options_.batch ? "&batch=fb" : "") && append(" HTTP/1.1\r\nHost: ") &&
           append(options_.host) &&
           append(
               "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: ") &&
           append(key_) && append("\r\n\r\n");
  }

  void read_head() {
    const char* head = reinterpret_cast<const char*>(in_);
    for (std::size_t i = 3; i < in_used_; ++i) {
      if (std::memcmp(head + i - 3, "\r\n\r\n", 4) != 0) continue;
      if (!wire::is_accepted(head, head + i + 1, key_)) return lost(1006);
      drop(0, i + 1);
      state_ = State::open;
      opened_at_ms_ = queued_at_ms_ = now_ms_;
      handler_.on_open();
      return;
    }
  }

  // ---- Receiving

  /// Takes bytes out of the receive buffer.
  void drop(std::size_t at, std::size_t bytes) {
    std::memmove(in_ + at, in_ + at + bytes, in_used_ - at - bytes);
    in_used_ -= bytes;
  }

  /// One whole frame, which lies behind what there is of a fragmented message. False: there is
  /// none.
  bool read_frame() {
    const std::uint8_t* frame = in_ + assembled_;
    const std::size_t there = in_used_ - assembled_;
    if (there < 2) return false;
    const bool fin = (frame[0] & 0x80U) != 0;
    const std::uint8_t opcode = frame[0] & 0x0fU;
    // No extension was agreed on, and a server doesn't mask (RFC 6455 §5.1, §5.2).
    if ((frame[0] & 0x70U) != 0 || (frame[1] & 0x80U) != 0) return fail(1002), false;
    std::size_t header = 2;
    std::size_t bytes = frame[1];
    if (bytes == 126) {
      if (there < 4) return false;
      header = 4;
      bytes = static_cast<std::size_t>(frame[2] << 8 | frame[3]);
      if (bytes < 126) return fail(1002), false;
    }
    const bool control = opcode >= opcode_close;
    if (control && (!fin || bytes > control_bytes_max)) return fail(1002), false;
    if (bytes == 127 || header + bytes > receive_bytes - assembled_) return fail(1009), false;
    if (there < header + bytes) return false;
    if (control) return on_control(opcode, frame + header, bytes, header + bytes);
    if (opcode > opcode_binary || (opcode == opcode_continuation) != in_message_)
      return fail(1002), false;
    return on_data(opcode, fin, header, bytes);
  }

  bool on_control(std::uint8_t opcode,
                  const std::uint8_t* payload,
                  std::size_t bytes,
                  std::size_t whole) {
    if (opcode == opcode_close) {
      const auto code =
          static_cast<std::uint16_t>(bytes >= 2 ? payload[0] << 8 | payload[1] : 1005);
      if (bytes == 1) return fail(1002), false;
      if (put_frame(opcode_close, payload, bytes)) write_out();
      if (state_ == State::open) lost(code);
      return false;
    }
    if (opcode == opcode_ping) {
      // A server that pings faster than it reads gets fewer pongs (RFC 6455 §5.5.3).
      if (put_frame(opcode_pong, payload, bytes) && !write_out()) return false;
    } else if (opcode != opcode_pong) {
      return fail(1002), false;
    }
    drop(assembled_, whole);
    return true;
  }

  bool on_data(std::uint8_t opcode, bool fin, std::size_t header, std::size_t bytes) {
    if (opcode != opcode_continuation) binary_ = opcode == opcode_binary;
    drop(assembled_, header);
    assembled_ += bytes;
    in_message_ = !fin;
    if (!fin) return true;
    if (binary_) deliver(in_, assembled_);
    if (state_ != State::open) return false;
    drop(0, assembled_);
    assembled_ = 0;
    return true;
  }

  void deliver(const std::uint8_t* data, std::size_t bytes) {
    if (!options_.batch || !wire::EnvelopeReader::is_envelope(data, bytes)) {
      return handler_.on_message({"", 0, data, bytes});
    }
    const wire::EnvelopeReader envelope(data, bytes);
    Message message;
    if (!envelope.is_valid()) return fail(1007);
    for (std::size_t i = 0; i < envelope.size(); ++i) {
      if (!envelope.get(i, message)) return fail(1007);
    }
    if (envelope.missed() > 0) handler_.on_missed(envelope.missed());
    for (std::size_t i = 0; i < envelope.size() && state_ == State::open; ++i) {
      if (envelope.get(i, message)) handler_.on_message(message);
    }
  }

  // ---- Sending

  std::uint8_t* begin_frame(std::size_t payload_bytes) {
    if (payload_bytes > send_bytes || header_bytes_max + payload_bytes > send_bytes - out_used_) {
      return nullptr;
    }
    return out_ + out_used_;
  }
  void end_frame(std::size_t bytes) { out_used_ += bytes; }

  bool put_frame(std::uint8_t opcode, const void* payload, std::size_t bytes) {
    std::uint8_t* frame = begin_frame(bytes);
    if (frame == nullptr) return false;
    const std::size_t header = wire::put_header(frame, opcode, bytes, transport_.random());
    if (bytes > 0) std::memcpy(frame + header, payload, bytes);
    wire::mask_payload(frame + header, bytes, frame + header - 4);
    end_frame(header + bytes);
    return true;
  }

  bool put_close(std::uint16_t code) {
    const std::uint8_t payload[2] = {static_cast<std::uint8_t>(code >> 8U),
                                     static_cast<std::uint8_t>(code)};
    return put_frame(opcode_close, payload, sizeof(payload));
  }

  /// What the transport takes. False: the connection is over.
  bool write_out() {
    while (out_used_ > 0) {
      const long taken = transport_.write(out_, out_used_);
      if (taken < 0) return lost(1006), false;
      if (taken == 0) return true;
      out_used_ -= static_cast<std::size_t>(taken);
      std::memmove(out_, out_ + taken, out_used_);
    }
    in_flight_ = 0;
    return true;
  }

  void clear_queue() {
    queue_used_ = 0;
    queued_ = 0;
    envelope_bytes_ = wire::envelope_head_bytes;
  }

  // ---- The end of a connection

  void fail(std::uint16_t code) {
    if (put_close(code)) {
      if (!write_out()) return;
    }
    lost(code);
  }

  void lost(std::uint16_t code) {
    const bool was_open = state_ == State::open;
    transport_.close();
    // What the transport hadn't taken whole may be gone; the next envelope says so.
    missed_ += static_cast<std::uint32_t>(in_flight_);
    in_flight_ = 0;
    out_used_ = in_used_ = assembled_ = 0;
    in_message_ = pinged_ = false;
    if (was_open && is_past(opened_at_ms_ + options_.backoff_max_ms)) failures_ = 0;
    std::uint32_t delay_ms = options_.backoff_max_ms;
    if (failures_ < 16 && (options_.backoff_first_ms << failures_) < delay_ms) {
      delay_ms = options_.backoff_first_ms << failures_;
      ++failures_;
    }
    retry_at_ms_ = now_ms_ + delay_ms / 2 + transport_.random() % (delay_ms / 2 + 1);
    has_retry_ = true;
    state_ = State::waiting;
    if (was_open) handler_.on_close(code);
  }

  Transport& transport_;
  Handler& handler_;
  const Options options_;
  std::uint64_t sequence_;
  std::size_t out_used_ = 0;
  std::size_t in_used_ = 0;
  std::size_t assembled_ = 0;  // bytes of a fragmented message, at the front of in_
  std::size_t queue_used_ = 0;
  std::size_t queued_ = 0;
  std::size_t in_flight_ = 0;                               // messages in out_
  std::size_t envelope_bytes_ = wire::envelope_head_bytes;  // of what is queued
  std::uint32_t missed_ = 0;
  std::uint32_t now_ms_ = 0;
  std::uint32_t retry_at_ms_ = 0;
  std::uint32_t deadline_ms_ = 0;
  std::uint32_t heard_at_ms_ = 0;
  std::uint32_t opened_at_ms_ = 0;
  std::uint32_t queued_at_ms_ = 0;
  std::uint8_t failures_ = 0;
  State state_ = State::waiting;
  bool has_retry_ = false;
  bool is_stopped_ = false;
  bool in_message_ = false;
  bool binary_ = false;
  bool pinged_ = false;
  char key_[wire::key_characters + 1] = {};
  std::uint8_t out_[send_bytes];
  std::uint8_t in_[receive_bytes];
  std::uint8_t queue_[queue_bytes];
};

static_assert(sizeof(Device<>) <= 4096, "the state of a device with default buffers");

}  // namespace ringroom::device
