// AgentStub: another agent of the same server, by class and name, as Agent::agent gives it. What is
// asked travels to the room's home shard, wakes the agent there, and the answer comes back as a
// Deferred on the asker's shard. Good for as long as the agent that asked for it; a few strings.
#pragma once

#include "ringroom/deferred.h"
#include "ringroom/json.h"
#include "ringroom/request.h"
#include "ringroom/response.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringroom {

namespace detail {
class Host;
}

/// Answers are rejected with a text: what the target threw; that the class isn't served or the name
/// is no room's (1 to 1,024 bytes of UTF-8); that agents ask each other in a circle, or more than
/// 16 deep; that this agent waits for 1,024 answers already, or all agents of its shard for 65,536.
/// Who waits is kept awake. There is no timeout: a target that never answers is waited for until
/// its agent is gone. Rooms that ask from a timer ask on nobody's behalf: a circle through timers
/// is not noticed.
class AgentStub {
 public:
  AgentStub(detail::Host& asker, std::string_view agent, std::string_view room)
      : asker_(&asker), agent_(agent), room_(room) {}

  /// What the target's on_request answers. The hooks of its class aren't asked.
  Deferred<Response> fetch(Request request) const;
  /// What the target's callable of that name answers; discarded JSON if it has no result.
  template <typename... Args>
  Deferred<json> call(std::string_view method, Args&&... args) const {
    std::vector<json> values;
    values.reserve(sizeof...(args));
    (values.push_back(json(std::forward<Args>(args))), ...);
    return call_with(method, std::move(values));
  }
  Deferred<json> call_with(std::string_view method, std::vector<json> args) const;

 private:
  detail::Host* asker_;
  std::string agent_;
  std::string room_;
};

}  // namespace ringroom
