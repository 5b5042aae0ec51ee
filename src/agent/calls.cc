// Calls of callables: by clients, and by other agents. Answers leave in the order in which they are
// ready.
#include "agent/guard.h"
#include "base/log.h"
#include "codec/agents/client_frame.h"
#include "codec/agents/server_frame.h"

#include <algorithm>
#include <array>

namespace ringroom::detail {

namespace frames = codec::agents;

namespace {

// Names that every agent of the Agents SDK has, and every object of JavaScript. Its clients are
// told that they are there and can't be called.
constexpr std::array<std::string_view, 30> framework_methods = {"constructor",
                                                                "toString",
                                                                "valueOf",
                                                                "hasOwnProperty",
                                                                "setState",
                                                                "onMessage",
                                                                "onConnect",
                                                                "onClose",
                                                                "onError",
                                                                "onStart",
                                                                "onRequest",
                                                                "onStateChanged",
                                                                "onStateUpdate",
                                                                "sql",
                                                                "broadcast",
                                                                "getConnections",
                                                                "getConnection",
                                                                "schedule",
                                                                "scheduleEvery",
                                                                "getSchedule",
                                                                "getSchedules",
                                                                "cancelSchedule",
                                                                "queue",
                                                                "dequeue",
                                                                "destroy",
                                                                "alarm",
                                                                "fetch",
                                                                "_isCallable",
                                                                "getCallableMethods",
                                                                "validateStateChange"};

std::string why_not_callable(const AgentClassInfo& info, std::string_view method) {
  const bool is_known = info.find_callable(method) != nullptr ||
                        info.find_task(method) != nullptr ||
                        std::find(framework_methods.begin(), framework_methods.end(), method) !=
                            framework_methods.end();
  return "Method " + std::string(method) + (is_known ? " is not callable" : " does not exist");
}

void add_defaults(const Callable& callable, std::vector<json>& args) {
  const std::size_t first = callable.parameters - callable.defaults.size();
  while (args.size() >= first && args.size() < callable.parameters) {
    args.push_back(callable.defaults[args.size() - first]);
  }
}

}  // namespace

std::shared_ptr<agent_runtime::HostLink> Host::link() {
  if (awake_->link == nullptr)
    awake_->link = std::make_shared<agent_runtime::HostLink>(agent_runtime::HostLink{this});
  return awake_->link;
}

void Host::send_text(ConnectionRef to, const std::string& text) {
  if (Connection* member = resolve(to)) member->send(text);
}

void Host::run_call(Connection& from, frames::Call& call) {
  const ConnectionRef to = from.ref();
  const Callable* callable = info_.find_callable(call.method);
  if (callable != nullptr && callable->stream) return run_stream(from, *callable, call);
  const Deferred<json> answer = invoke(callable, call.method, call.args, &from);
  const bool is_late = !answer.is_answered();
  if (is_late) ++link()->requests_open;
  answer.then(
      [room = link(), to, id = call.id, is_late](const json& result) {
        if (is_late) --room->requests_open;
        if (room->host == nullptr) return;
        room->host->answer_call(to, id, result);
      },
      [room = link(), to, id = call.id, is_late](const std::string& why) {
        if (is_late) --room->requests_open;
        if (room->host == nullptr) return;
        room->host->send_text(to, frames::failure_frame(id, why));
      });
}

void Host::answer_call(ConnectionRef to, const std::string& id, const json& result) {
  try {
    send_text(to, frames::result_frame(id, result, true));
  } catch (const json::exception& error) {
    send_text(to, frames::failure_frame(id, error.what()));
  }
}

Deferred<json> Host::invoke(const Callable* callable,
                            std::string_view method,
                            std::vector<json>& args,
                            Connection* from) {
  Deferred<json> answer;
  if (callable == nullptr || !callable->call) {
    answer.reject(why_not_callable(info_, method));
    return answer;
  }
  add_defaults(*callable, args);
  run(
      "callable", from, [&] { answer = callable->call(*awake_->agent, args); },
      [&](const std::exception_ptr& cause) {
        base::log_debug(title() + ": " + callable->name + " threw: " + text_of(cause));
        answer.reject(text_of(cause));
      });
  return answer;
}

Deferred<json> Host::call(std::string_view method, std::vector<json> args) {
  touch();
  const Callable* callable = info_.find_callable(method);
  if (agent() == nullptr && !wake()) {
    Deferred<json> failed;
    failed.reject(runtime_.scratch().setup_failure);
    return failed;
  }
  if (callable != nullptr && callable->stream) {
    Deferred<json> failed;
    failed.reject("Method " + std::string(method) + " streams: only clients can call it");
    return failed;
  }
  return invoke(callable, method, args, nullptr);
}

// ---- Streams

void Host::run_stream(Connection& from, const Callable& callable, frames::Call& call) {
  ++link()->requests_open;
  Stream stream(std::make_shared<StreamState>(link(), from.ref(), std::move(call.id)));
  add_defaults(callable, call.args);
  run(
      "callable", &from, [&] { callable.stream(*awake_->agent, stream, call.args); },
      [&](const std::exception_ptr& cause) { stream.error(text_of(cause)); });
}

void Host::stream_chunk(StreamState& stream, const json& chunk) {
  send_text(stream.to, frames::result_frame(stream.id, chunk, false));
}

void Host::end_stream(StreamState& stream, const std::string& last_frame) {
  stream.open = false;
  --stream.link->requests_open;
  send_text(stream.to, last_frame);
}

StreamState::~StreamState() {
  if (open) --link->requests_open;
}

}  // namespace ringroom::detail

namespace ringroom {

namespace frames = codec::agents;

bool Stream::is_open() const {
  return state_->open && state_->link->host != nullptr &&
         state_->link->host->resolve(state_->to) != nullptr;
}

void Stream::send(const json& chunk) {
  if (state_->open && state_->link->host != nullptr) {
    state_->link->host->stream_chunk(*state_, chunk);
  }
}

void Stream::end() {
  end(json(json::value_t::discarded));
}

void Stream::end(const json& result) {
  if (!state_->open || state_->link->host == nullptr) return;
  state_->link->host->end_stream(*state_, frames::result_frame(state_->id, result, true));
}

void Stream::error(std::string_view message) {
  if (!state_->open || state_->link->host == nullptr) return;
  state_->link->host->end_stream(*state_, frames::failure_frame(state_->id, message));
}

}  // namespace ringroom
