// RequestHandler: who answers plain requests that no room answers: the server's page and its admin
// address. Called on a shard's thread; owned by the server; must not block.
#pragma once

#include "ringroom/deferred.h"
#include "ringroom/request.h"
#include "ringroom/response.h"

namespace ringroom::shard {

class Shard;

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  /// `shard` is the one that serves the request and will send the answer.
  virtual Deferred<Response> handle(Shard& shard, const Request& request) = 0;
};

}  // namespace ringroom::shard
