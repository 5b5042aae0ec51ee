// HttpSession: a connection that speaks HTTP: the request being read, and what came behind it.
// Arrival: an upgrade on its way to the room's home shard. Owned by the shard that has the socket.
#pragma once

#include "codec/envelope/negotiation.h"
#include "codec/http/request_reader.h"
#include "codec/http/upgrade.h"
#include "ringroom/agent_class.h"
#include "ringroom/request.h"
#include "ringroom/route.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ringroom::shard {

struct HttpSession {
  HttpSession(const codec::http::RequestReaderOptions& options, bool admin)
      : reader(options), is_admin(admin) {}

  codec::http::RequestReader reader;
  std::vector<std::byte> input;  // received while an answer is awaited
  bool is_admin;
  bool answering = false;  // a request is with a room or handler
  bool reading = false;    // read_requests() is at work further up the stack
  bool head_request = false;
  bool http_1_0 = false;
  bool keep_alive = false;
  CorsHeaders cors;  // for the answer
};

/// Everything that the home needs to answer an upgrade. Moves with the socket.
struct Arrival {
  const detail::AgentClassInfo* info;
  std::string room;
  Request request;
  codec::http::AcceptKey accept_key;
  std::string extensions;
  codec::envelope::Agreement batching;
  std::vector<std::byte> behind;  // bytes that came after the head: frames
  unsigned home;
};

}  // namespace ringroom::shard
