// Question: what one agent asks of another, and its answer. Plain values without anything counted,
// so that they may move between shards. Owned by the letter that carries them.
#pragma once

#include "ringroom/connection.h"
#include "ringroom/deferred.h"
#include "ringroom/json.h"
#include "ringroom/request.h"
#include "ringroom/response.h"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace ringroom::agent_runtime {

/// The rooms that wait for an answer, as "ChatRoom/lobby"; each was asked by the one before it.
using CallChain = std::vector<std::string>;

struct MethodCall {
  std::string method;
  std::vector<json> args;
};

struct Question {
  std::string agent;  ///< the class by its name or its segment
  std::string room;
  std::variant<Request, MethodCall> what;
  CallChain chain = {};  ///< the asker is the last
};

/// A Request's response, or a call's result, or why there is neither.
class Answer {
 public:
  explicit Answer(Response response) : response_(std::make_unique<Response>(std::move(response))) {}
  explicit Answer(json result) : result_(std::move(result)) {}
  static Answer failure(std::string why) {
    Answer answer{json()};
    answer.failed_ = true;
    answer.why_ = std::move(why);
    return answer;
  }

  void give(const Deferred<Response>& asked) {
    return failed_ ? asked.reject(why_) : asked.resolve(std::move(*response_));
  }
  void give(const Deferred<json>& asked) {
    return failed_ ? asked.reject(why_) : asked.resolve(std::move(result_));
  }

 private:
  std::unique_ptr<Response> response_;
  json result_;
  bool failed_ = false;
  std::string why_;
};

/// Who waits for an answer: a room of the asking shard. `id` is never used twice on a shard, so
/// that the answer for an agent that is gone finds nobody.
struct Asker {
  std::uint32_t room = 0;
  std::uint64_t id = 0;
};

/// One question whose answer an agent waits for.
struct OpenQuestion {
  CallChain chain;       ///< on whose behalf it was asked, the asker left out
  ConnectionRef caller;  ///< whose event the asker was handling
  std::variant<Deferred<Response>, Deferred<json>> answer;
};

/// By Asker::id. Dies with the agent.
using OpenQuestions = std::unordered_map<std::uint64_t, OpenQuestion>;

}  // namespace ringroom::agent_runtime
