#include "connect/options.h"

#include "codec/envelope/negotiation.h"

#include <cstdio>

#include <CLI/CLI.hpp>
#include <Poco/Exception.h>
#include <Poco/URI.h>

namespace ringroom::connect {

namespace {

constexpr const char* footer =
    "Each line of the input is a message; what comes is printed, a message a line (bytes as "
    "<hex>).\n"
    "With --batch a line is a type, a space and a payload, which is JSON if it is an object or an\n"
    "array, and hex with --binary; lines that come together leave in one envelope. At a terminal "
    "the\n"
    "arrow keys bring earlier lines back, and Ctrl-D ends.\n"
    "\n"
    "  ringroom connect ws://127.0.0.1:8787/agents/chat-room/lobby?username=Ada\n"
    "  echo 'move {\"x\":1}' | ringroom connect ws://127.0.0.1:8787/agents/echo/x --batch fb "
    "--count 1\n"
    "\n"
    "Exit codes: 0 ended as asked, or the server closed with 1000; 1 wrong arguments, or no\n"
    "connection; 2 the server closed with another code; 3 the connection broke.";

}  // namespace

std::optional<std::string> read_url(const std::string& url, Options& options) {
  try {
    const Poco::URI uri(url);
    if (uri.getScheme() != "ws") return "the URL must begin with ws://: " + url;
    if (uri.getHost().empty()) return "the URL names no host: " + url;
    options.host = uri.getHost();
    options.port = uri.getPort() == 0 ? 80 : uri.getPort();
    options.target = uri.getPathAndQuery();
    if (options.target.empty() || options.target.front() != '/') {
      options.target.insert(0, "/");
    }
  } catch (const Poco::SyntaxException&) {
    return "not a URL: " + url;
  }
  return std::nullopt;
}

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  std::string url;
  std::string batch;
  std::vector<std::string> protocols;
  CLI::App app("Talks to a room from a terminal or a script.", "ringroom connect");
  app.footer(footer);
  app.add_option("URL", url, "ws://HOST:PORT/agents/CLASS/ROOM")->required()->type_name("");
  app.add_flag("--binary", options.binary,
               "Show messages as hex, and send lines of hex as binary messages");
  app.add_option("--batch", batch, "Agree on envelopes: unpack what comes, pack what goes")
      ->check(CLI::IsMember({"fb", "json"}).description(""))
      ->type_name("fb|json");
  app.add_option("--protocol", protocols, "Offer a subprotocol (repeatable)")
      ->type_name("NAME")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--count", options.count, "End after so many messages have come")->type_name("N");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  if (const auto fault = read_url(url, options)) {
    std::fprintf(stderr, "ringroom connect: %s\n", fault->c_str());
    return 1;
  }
  if (batch == "fb") {
    options.batch = BatchFormat::flatbuffers;
    options.protocols.emplace_back(codec::envelope::flatbuffers_subprotocol);
  } else if (batch == "json") {
    options.batch = BatchFormat::json_text;
    options.protocols.emplace_back(codec::envelope::json_subprotocol);
  }
  options.protocols.insert(options.protocols.end(), protocols.begin(), protocols.end());
  return options;
}

}  // namespace ringroom::connect
