#include "server/listeners.h"

#include <thread>

#include <gtest/gtest.h>

#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

namespace ringroom::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Listeners listen_free(unsigned count) {
  return listen_on(*base::parse_address("127.0.0.1:0").value, count, "--listen", seconds(0));
}

int option_of(int socket, int level, int name) {
  int value = -1;
  socklen_t bytes = sizeof(value);
  EXPECT_EQ(getsockopt(socket, level, name, &value, &bytes), 0);
  return value;
}

TEST(Listeners, ShareTheFreePortTheyTook) {
  const Listeners made = listen_free(3);
  ASSERT_EQ(made.error, "");
  ASSERT_EQ(made.sockets.size(), 3U);
  EXPECT_NE(made.address.port(), 0);
  for (const Listener& listener : made.sockets) {
    EXPECT_EQ(base::address_of(listener.descriptor()).text(), made.address.text());
  }
}

TEST(Listeners, AllGetClients) {
  const Listeners made = listen_free(2);
  ASSERT_EQ(made.error, "");
  std::vector<Listener> clients;
  std::vector<pollfd> waiting = {{made.sockets[0].descriptor(), POLLIN, 0},
                                 {made.sockets[1].descriptor(), POLLIN, 0}};
  // The kernel chooses by a hash of the client's port: either side stays empty with 2^-63.
  for (int i = 0; i < 64; ++i) {
    clients.emplace_back(socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(connect(clients.back().descriptor(), made.address.get(), made.address.bytes), 0);
  }
  EXPECT_EQ(poll(waiting.data(), 2, 0), 2);
}

TEST(Listeners, RefuseAnAddressThatIsTaken) {
  const Listeners first = listen_free(2);
  ASSERT_EQ(first.error, "");
  const Listeners second = listen_on(first.address, 2, "--listen", milliseconds(20));
  EXPECT_TRUE(second.sockets.empty());
  EXPECT_EQ(second.error, "can't listen on " + first.address.text() +
                              ": another program listens there (is this server running already?);"
                              " --listen names another, port 0 takes a free one");
}

TEST(Listeners, WaitForAnAddressThatIsAboutToBeFree) {
  Listeners first = listen_free(2);
  ASSERT_EQ(first.error, "");
  const base::Address address = first.address;
  std::jthread ends([sockets = std::move(first.sockets)]() mutable {
    std::this_thread::sleep_for(milliseconds(30));
    sockets.clear();
  });
  const Listeners second = listen_on(address, 2, "--listen", seconds(20));
  EXPECT_EQ(second.error, "");
  EXPECT_EQ(second.sockets.size(), 2U);
}

TEST(Listeners, RefuseAnAddressOfAnotherMachine) {
  const Listeners made =
      listen_on(*base::parse_address("192.0.2.1:0").value, 1, "--admin", seconds(0));
  EXPECT_NE(made.error.find("no such address; --admin names another"), std::string::npos);
}

TEST(Listeners, TakeAPortAgainWhileOldConnectionsLinger) {
  Listener client(socket(AF_INET, SOCK_STREAM, 0));
  base::Address address;
  {
    const Listeners made = listen_free(1);
    ASSERT_EQ(made.error, "");
    address = made.address;
    ASSERT_EQ(connect(client.descriptor(), address.get(), address.bytes), 0);
    // Closed by the server's side first, the connection stays in FIN-WAIT.
    const Listener accepted(accept(made.sockets[0].descriptor(), nullptr, nullptr));
    ASSERT_TRUE(accepted.is_open());
  }
  EXPECT_EQ(listen_on(address, 2, "--listen", seconds(0)).error, "");
}

TEST(Listeners, HandTheirOptionsDown) {
  const Listeners made = listen_free(1);
  ASSERT_EQ(made.error, "");
  const Listener client(socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_EQ(connect(client.descriptor(), made.address.get(), made.address.bytes), 0);
  const Listener accepted(accept(made.sockets[0].descriptor(), nullptr, nullptr));
  ASSERT_TRUE(accepted.is_open());
  EXPECT_EQ(option_of(accepted.descriptor(), IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option_of(accepted.descriptor(), SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option_of(accepted.descriptor(), IPPROTO_TCP, TCP_USER_TIMEOUT), 180'000);
}

}  // namespace
}  // namespace ringroom::server
