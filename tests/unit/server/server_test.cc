#include "ringroom/server.h"

#include "server/listeners.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace ringroom {
namespace {

ServerOptions on_free_ports() {
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.admin = "127.0.0.1:0";
  return options;
}

// What a server that can't start says.
std::string error_of(ServerOptions options) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Server(std::move(options)).run(), 1);
  return testing::internal::GetCapturedStderr();
}

TEST(Server, EndsWithoutServingWhenItWasStoppedBefore) {
  Server server(on_free_ports());
  server.stop();
  EXPECT_EQ(server.run(), 0);
}

TEST(Server, RefusesAPortInUse) {
  const auto taken = server::listen_on(*base::parse_address("127.0.0.1:0").value, 1, "--listen",
                                       std::chrono::seconds(0));
  ASSERT_EQ(taken.error, "");
  ServerOptions options = on_free_ports();
  options.listen = taken.address.text();
  EXPECT_NE(error_of(options).find("can't listen on " + taken.address.text()), std::string::npos);
  options = on_free_ports();
  options.admin = taken.address.text();
  EXPECT_NE(error_of(options).find("--admin names another"), std::string::npos);
}

TEST(Server, RefusesPropsOfAClassThatIsNotServed) {
  ServerOptions options = on_free_ports();
  options.props["Chess"] = json::object();
  EXPECT_NE(error_of(options).find("props for class Chess"), std::string::npos);
}

TEST(Server, RefusesARouteThatNoUrlHas) {
  Server server(on_free_ports());
  const RouteHandler pass = [](const Request&, const HookContext&) { return RouteDecision(); };
  EXPECT_THROW(server.route("/a?b", pass), std::invalid_argument);
  server.route("/a/b", pass);
}

TEST(Server, HoldsItsOptionsToTheLimitsOfTheFlags) {
  ServerOptions options = on_free_ports();
  options.attachment_bytes_max = 1 << 20;
  EXPECT_NE(error_of(options).find("--attachment-bytes-max must be between"), std::string::npos);
}

TEST(Server, SaysWhyAShardCannotStart) {
  ServerOptions options = on_free_ports();
  options.ring_features = {"nonsense"};
  EXPECT_NE(error_of(options).find("--ring-features"), std::string::npos);
}

}  // namespace
}  // namespace ringroom
