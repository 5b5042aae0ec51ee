#include "connect/record.h"

#include "base/values.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

namespace ringroom::connect {

namespace {

using Poco::Net::HTTPRequest;
using Poco::Net::HTTPResponse;

constexpr const char* footer =
    "The server must allow it: 'ringroom serve --record-bytes-max 64MiB'. Each line of a recording "
    "is\n"
    "JSON: who sent a message, when, and the message. Ctrl-C ends it early, with what there is.";

struct Order {
  std::string admin = "http://127.0.0.1:8788";
  std::string agent;
  std::string room;
  std::string length = "10s";
  std::string bytes;
  std::string file = "-";
};

struct Answer {
  bool is_there = false;
  std::string text;  // the recording, or what went wrong
};

std::string path_of(const Order& order) {
  Poco::URI uri("/record");
  uri.addQueryParameter("class", order.agent);
  uri.addQueryParameter("room", order.room);
  uri.addQueryParameter("length", order.length);
  if (!order.bytes.empty()) uri.addQueryParameter("bytes", order.bytes);
  return uri.toString();
}

Answer ask(const Order& order, const std::string& method) {
  const std::chrono::milliseconds length = *base::parse_duration(order.length).value;
  constexpr int patience_s = 10;
  try {
    const Poco::URI admin(order.admin);
    Poco::Net::HTTPClientSession session(admin.getHost(), admin.getPort());
    session.setTimeout(Poco::Timespan(length.count() / 1000 + patience_s, 0));
    HTTPRequest request(method, path_of(order), HTTPRequest::HTTP_1_1);
    request.setContentLength(0);
    request.setContentType("application/json");
    session.sendRequest(request);
    HTTPResponse response;
    std::string body;
    Poco::StreamCopier::copyToString(session.receiveResponse(response), body);
    const bool is_good = response.getStatus() == HTTPResponse::HTTP_OK ||
                         response.getStatus() == HTTPResponse::HTTP_NO_CONTENT;
    return {is_good, std::move(body)};
  } catch (const Poco::Exception& error) {
    return {false, order.admin + " is not reached: " + error.displayText()};
  }
}

int fail(const std::string& problem) {
  std::fprintf(stderr, "ringroom record: %s\n", problem.c_str());
  return 1;
}

// Asks, and on a signal asks for the end.
Answer record_until_signal(const Order& order) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Answer answer;
  std::atomic<bool> is_over = false;
  std::thread asking([&] {
    answer = ask(order, "POST");
    is_over = true;
  });
  constexpr timespec look_every{0, 50'000'000};
  while (!is_over) {
    if (sigtimedwait(&signals, nullptr, &look_every) > 0) ask(order, "DELETE");
  }
  asking.join();
  return answer;
}

std::string check(const Order& order) {
  const base::Parsed<std::chrono::milliseconds> length = base::parse_duration(order.length);
  if (!length.value) return "--length: '" + order.length + "' " + length.error;
  if (order.bytes.empty()) return {};
  const base::Parsed<std::size_t> bytes = base::parse_size(order.bytes);
  return bytes.value ? "" : "--bytes-max: '" + order.bytes + "' " + bytes.error;
}

}  // namespace

int record(int argc, char** argv) {
  Order order;
  std::string room;
  CLI::App app("Records what the members of a room send, for 'ringroom load --replay'.",
               "ringroom record");
  app.footer(footer);
  app.add_option("CLASS/ROOM", room, "The room, such as ChatRoom/lobby")->required();
  app.add_option("--length", order.length, "How long: a number and ms, s, m or h (default 10s)");
  app.add_option("--bytes-max", order.bytes, "End when it is that large (default: the server's)");
  app.add_option("--out", order.file, "Where to; - for standard output (default)");
  app.add_option("--admin", order.admin, "The server (default http://127.0.0.1:8788)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  const std::size_t slash = room.find('/');
  if (slash == std::string::npos) return fail("'" + room + "' is not CLASS/ROOM");
  order.agent = room.substr(0, slash);
  order.room = room.substr(slash + 1);
  if (const std::string problem = check(order); !problem.empty()) return fail(problem);
  const Answer answer = record_until_signal(order);
  if (!answer.is_there) return fail(answer.text);
  if (order.file == "-") {
    std::cout << answer.text << std::flush;
    return std::cout ? 0 : fail("standard output can't be written");
  }
  std::ofstream file(order.file, std::ios::binary);
  file << answer.text << std::flush;
  return file ? 0 : fail(order.file + " can't be written");
}

}  // namespace ringroom::connect
