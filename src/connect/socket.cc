#include "connect/socket.h"

#include <cstring>

#include <Poco/Buffer.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/WebSocket.h>

namespace ringroom::connect {

namespace {

using Poco::Net::WebSocket;

constexpr int pong_frame = int{WebSocket::FRAME_FLAG_FIN} | int{WebSocket::FRAME_OP_PONG};
constexpr int close_frame = int{WebSocket::FRAME_FLAG_FIN} | int{WebSocket::FRAME_OP_CLOSE};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

struct Socket::Body {
  explicit Body(const Options& options)
      : session(options.host, options.port),
        request("GET", options.target, Poco::Net::HTTPMessage::HTTP_1_1) {
    if (!options.protocols.empty()) {
      request.set("Sec-WebSocket-Protocol", joined(options.protocols));
    }
    socket = std::make_unique<WebSocket>(session, request, response);
    socket->setMaxPayloadSize(message_bytes_max);
    socket->setReceiveTimeout(Poco::Timespan(10, 0));
  }

  Poco::Net::HTTPClientSession session;
  Poco::Net::HTTPRequest request;
  Poco::Net::HTTPResponse response;
  std::unique_ptr<WebSocket> socket;
  Poco::Buffer<char> message{0};  // frames so far of a fragmented message
  int opcode = 0;
  bool is_closing = false;
};

Socket::Socket(const Options& options)
    : body_(std::make_unique<Body>(options)),
      protocol_(body_->response.get("Sec-WebSocket-Protocol", "")) {}
Socket::~Socket() = default;

int Socket::descriptor() const {
  return body_->socket->impl()->sockfd();
}

bool Socket::has_input() const {
  return body_->socket->available() > 0;
}

Received Socket::receive() {
  Poco::Buffer<char> frame(0);
  int flags = 0;
  try {
    const int bytes = body_->socket->receiveFrame(frame, flags);
    if (bytes <= 0 && flags == 0) return {.kind = Received::Kind::broken};
  } catch (const Poco::Exception& error) {
    return {.kind = Received::Kind::broken, .reason = error.displayText()};
  }
  const int opcode = flags & WebSocket::FRAME_OP_BITMASK;
  const int length = static_cast<int>(frame.size());
  if (opcode == WebSocket::FRAME_OP_PING) {
    body_->socket->sendFrame(frame.begin(), length, pong_frame);
    return {};
  }
  if (opcode == WebSocket::FRAME_OP_PONG) return {};
  if (opcode == WebSocket::FRAME_OP_CLOSE) {
    Received closed{.kind = Received::Kind::closed, .code = 1005};
    if (length >= 2) {
      closed.code = static_cast<std::uint16_t>(static_cast<unsigned char>(frame[0]) << 8 |
                                               static_cast<unsigned char>(frame[1]));
      closed.reason.assign(frame.begin() + 2, frame.end());
    }
    if (!body_->is_closing) {
      body_->socket->sendFrame(frame.begin(), length, close_frame);
    }
    return closed;
  }
  if (opcode != WebSocket::FRAME_OP_CONT) body_->opcode = opcode;
  body_->message.append(frame);
  if ((flags & WebSocket::FRAME_FLAG_FIN) == 0) return {};
  Received received{.kind = body_->opcode == WebSocket::FRAME_OP_TEXT ? Received::Kind::text
                                                                      : Received::Kind::binary};
  received.bytes.resize(body_->message.size());
  if (!received.bytes.empty()) {
    std::memcpy(received.bytes.data(), body_->message.begin(), received.bytes.size());
  }
  body_->message.resize(0, false);
  return received;
}

void Socket::send(std::span<const std::byte> bytes, bool is_text) {
  body_->socket->sendFrame(bytes.data(), static_cast<int>(bytes.size()),
                           is_text ? WebSocket::FRAME_TEXT : WebSocket::FRAME_BINARY);
}

void Socket::close() {
  body_->is_closing = true;
  body_->socket->shutdown(WebSocket::WS_NORMAL_CLOSE);
}

}  // namespace ringroom::connect
