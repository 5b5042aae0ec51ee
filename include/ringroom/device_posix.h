// SocketTransport: a TCP socket of POSIX for ringroom/device.h. Owned by the caller, on the
// caller's thread; one descriptor, which never blocks. The address is looked up once, by the
// constructor.
#pragma once

#include "ringroom/device.h"

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ringroom::device {

class SocketTransport final : public Transport {
 public:
  SocketTransport(const char* host, const char* port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host, port, &hints, &found) != 0) return;
    if (found->ai_addrlen <= sizeof(address_)) {
      std::memcpy(&address_, found->ai_addr, found->ai_addrlen);
      address_bytes_ = found->ai_addrlen;
    }
    freeaddrinfo(found);
  }
  ~SocketTransport() { close(); }
  SocketTransport(const SocketTransport&) = delete;
  SocketTransport& operator=(const SocketTransport&) = delete;

  /// Whether the address was found.
  bool has_address() const { return address_bytes_ > 0; }

  /// Until there is something to read, or for `timeout_ms`.
  void wait(int timeout_ms) const {
    pollfd waits{socket_, POLLIN, 0};
    ::poll(&waits, socket_ < 0 ? 0 : 1, timeout_ms);
  }

  int connect() override {
    const auto* address = reinterpret_cast<const sockaddr*>(&address_);
    if (socket_ < 0) {
      if (!has_address()) return -1;
      socket_ = ::socket(address->sa_family, SOCK_STREAM, 0);
      if (socket_ < 0 || fcntl(socket_, F_SETFL, O_NONBLOCK) != 0) return -1;
      const int on = 1;
      setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (::connect(socket_, address, address_bytes_) == 0 || errno == EISCONN) return 1;
    return errno == EINPROGRESS || errno == EALREADY || errno == EINTR ? 0 : -1;
  }

  long read(void* to, std::size_t bytes_max) override {
    const ssize_t got = ::recv(socket_, to, bytes_max, 0);
    if (got > 0) return got;
    return got < 0 && is_later() ? 0 : -1;
  }

  long write(const void* from, std::size_t bytes) override {
    const ssize_t taken = ::send(socket_, from, bytes, MSG_NOSIGNAL);
    if (taken >= 0) return taken;
    return is_later() ? 0 : -1;
  }

  void close() override {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  std::uint32_t random() override {
    std::uint32_t value = 0;
    return getentropy(&value, sizeof(value)) == 0 ? value : 0;
  }

 private:
  // EWOULDBLOCK is EAGAIN on Linux.
  static bool is_later() { return errno == EAGAIN || errno == EINTR; }

  sockaddr_storage address_{};
  socklen_t address_bytes_ = 0;
  int socket_ = -1;
};

}  // namespace ringroom::device
