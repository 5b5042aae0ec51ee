#include "server/listeners.h"

#include "base/log.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include <netinet/tcp.h>
#include <unistd.h>

namespace ringroom::server {

namespace {

// The kernel cuts it to net.core.somaxconn.
constexpr int backlog = 65'535;
constexpr std::chrono::milliseconds between_attempts(5);

struct SocketOption {
  int level;
  int name;
  int value;
};

// A quiet peer is probed after two minutes and given up after four probes; unacknowledged bytes
// are given up after the same time in all, or the first lost probe would end a connection (tcp(7),
// TCP_USER_TIMEOUT). TCP_NOTSENT_LOWAT stays off: it cuts large sends into many small ones.
constexpr std::array<SocketOption, 7> inherited_options = {{
    {SOL_SOCKET, SO_REUSEADDR, 1},
    {IPPROTO_TCP, TCP_NODELAY, 1},
    {SOL_SOCKET, SO_KEEPALIVE, 1},
    {IPPROTO_TCP, TCP_KEEPIDLE, 120},
    {IPPROTO_TCP, TCP_KEEPINTVL, 15},
    {IPPROTO_TCP, TCP_KEEPCNT, 4},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, 180'000},
}};

constexpr SocketOption shared_port = {SOL_SOCKET, SO_REUSEPORT, 1};

bool set(int socket, const SocketOption& option) {
  return setsockopt(socket, option.level, option.name, &option.value, sizeof(option.value)) == 0;
}

bool set_inherited(int socket) {
  for (const SocketOption& option : inherited_options) {
    if (!set(socket, option)) return false;
  }
  return true;
}

bool bind_and_listen(int socket, const base::Address& address) {
  return bind(socket, address.get(), address.bytes) == 0 && listen(socket, backlog) == 0;
}

Listener open_socket(const base::Address& address) {
  return Listener(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
}

// Listens alone, which fails if anybody else is there, and shares the port only then: between the
// two steps nobody can slip in.
Listener listen_first(const base::Address& address) {
  Listener first = open_socket(address);
  const int socket = first.descriptor();
  const bool done = first.is_open() && set_inherited(socket) && bind_and_listen(socket, address) &&
                    set(socket, shared_port);
  return done ? std::move(first) : Listener();
}

// The kernel clears away what a killed process had in a ring after that process is gone, listening
// sockets too: some milliseconds, and more with many connections.
Listener listen_first_when_free(const base::Address& address, std::chrono::milliseconds patience) {
  const auto give_up_at = std::chrono::steady_clock::now() + patience;
  bool said = false;
  for (;;) {
    Listener first = listen_first(address);
    const int error = errno;
    if (first.is_open() || error != EADDRINUSE || std::chrono::steady_clock::now() >= give_up_at) {
      errno = error;
      return first;
    }
    if (!std::exchange(said, true)) {
      base::log_info(address.text() +
                     " is taken, perhaps by a server that just ended: trying for " +
                     std::to_string(patience.count()) + " ms");
    }
    std::this_thread::sleep_for(between_attempts);
  }
}

Listener listen_along(const base::Address& address) {
  Listener next = open_socket(address);
  const int socket = next.descriptor();
  const bool done = next.is_open() && set_inherited(socket) && set(socket, shared_port) &&
                    bind_and_listen(socket, address);
  return done ? std::move(next) : Listener();
}

Listeners failed(const base::Address& address, const char* flag, int error) {
  const std::string where = "can't listen on " + address.text() + ": ";
  const std::string advice = std::string(flag) + " names another";
  switch (error) {
    case EADDRINUSE:
      return {{},
              {},
              where + "another program listens there (is this server running already?); " + advice +
                  ", port 0 takes a free one"};
    case EADDRNOTAVAIL: return {{}, {}, where + "this machine has no such address; " + advice};
    case EACCES:
      return {{},
              {},
              where + "ports below net.ipv4.ip_unprivileged_port_start need privileges; " + advice};
    default: return {{}, {}, where + std::strerror(error) + "; " + advice};
  }
}

}  // namespace

Listener::Listener(Listener&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

Listener::~Listener() {
  if (is_open()) close(descriptor_);
}

Listeners listen_on(const base::Address& address,
                    unsigned count,
                    const char* flag,
                    std::chrono::milliseconds patience) {
  Listeners made;
  Listener first = listen_first_when_free(address, patience);
  if (!first.is_open()) return failed(address, flag, errno);
  made.address = base::address_of(first.descriptor());
  made.sockets.push_back(std::move(first));
  while (made.sockets.size() < count) {
    Listener next = listen_along(made.address);
    if (!next.is_open()) return failed(made.address, flag, errno);
    made.sockets.push_back(std::move(next));
  }
  return made;
}

}  // namespace ringroom::server
