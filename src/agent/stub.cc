// Agents that ask other agents: the asker's side, and the target's.
#include "agent/guard.h"
#include "ringroom/agent_stub.h"

namespace ringroom::detail {

using agent_runtime::Answer;
using agent_runtime::CallChain;
using agent_runtime::MethodCall;
using agent_runtime::OpenQuestion;
using agent_runtime::Question;

namespace {

// While it lives, what is asked is asked on behalf of these rooms.
class OnBehalf {
 public:
  OnBehalf(agent_runtime::CallScratch& scratch, const CallChain& chain) : scratch_(scratch) {
    scratch_.chain = &chain;
  }
  ~OnBehalf() { scratch_.chain = nullptr; }
  OnBehalf(const OnBehalf&) = delete;
  OnBehalf& operator=(const OnBehalf&) = delete;

 private:
  agent_runtime::CallScratch& scratch_;
};

}  // namespace

template <typename T>
Deferred<T> Host::ask(Question question) {
  Deferred<T> answer;
  if (awake_->open_questions.size() >= limits::calls_open_max) {
    answer.reject("this agent waits for 1024 answers of other agents already");
    return answer;
  }
  const CallChain* before = runtime_.scratch().chain;
  OpenQuestion open{before == nullptr ? CallChain() : *before, awake_->caller, answer};
  question.chain = open.chain;
  question.chain.push_back(title());
  const std::uint64_t id = runtime_.next_question();
  if (is_gated()) {
    awake_->open_questions.emplace(id, std::move(open));
    const auto put = [this, id, question = std::move(question)] {
      if (auto refusal = runtime_.shard().ask({room_, id}, question)) {
        answered(id, Answer::failure(*refusal));
      }
    };
    hold_back(put, [](const std::string&) {});  // who asked is gone then
    return answer;
  }
  if (auto refusal = runtime_.shard().ask({room_, id}, std::move(question))) {
    answer.reject(*refusal);
    return answer;
  }
  awake_->open_questions.emplace(id, std::move(open));
  return answer;
}

void Host::answered(std::uint64_t id, Answer answer) {
  if (awake_ == nullptr) return;
  auto found = awake_->open_questions.extract(id);
  if (found.empty()) return;
  touch();
  OpenQuestion& open = found.mapped();
  const OnBehalf behalf(runtime_.scratch(), open.chain);
  run(
      "an answer", resolve(open.caller),
      [&] { std::visit([&](const auto& asked) { answer.give(asked); }, open.answer); },
      [&](const std::exception_ptr& cause) { report("an answer", nullptr, cause); });
}

// Their agent is gone, and what waits for the answers may be part of it: it isn't called any more.
void Host::forget_questions() {
  for (auto& [id, open] : awake_->open_questions) {
    std::visit([](const auto& asked) { asked.forget(); }, open.answer);
  }
}

// As request(), but what the agent throws is for the asker to know.
Deferred<Response> Host::fetch(const Request& request) {
  Deferred<Response> answer;
  if (ask_agent(request, answer)) return count_open(answer);
  Deferred<Response> failed;
  failed.reject(runtime_.scratch().setup_failure);
  return failed;
}

Deferred<Answer> Host::serve(Question question) {
  if (must_wait()) return later<Answer>([question](Host& host) { return host.serve(question); });
  const OnBehalf behalf(runtime_.scratch(), question.chain);
  Deferred<Answer> answer;
  const auto fail = [answer](const std::string& why) { answer.reject(why); };
  if (const auto* request = std::get_if<Request>(&question.what)) {
    fetch(*request).then(
        [answer](Response response) { answer.resolve(Answer(std::move(response))); }, fail);
  } else {
    auto& wanted = std::get<MethodCall>(question.what);
    count_open(call(wanted.method, std::move(wanted.args)))
        .then([answer](json result) { answer.resolve(Answer(std::move(result))); }, fail);
  }
  return answer;
}

}  // namespace ringroom::detail

namespace ringroom {

Deferred<Response> AgentStub::fetch(Request request) const {
  return asker_->ask<Response>({agent_, room_, std::move(request)});
}

Deferred<json> AgentStub::call_with(std::string_view method, std::vector<json> args) const {
  return asker_->ask<json>(
      {agent_, room_, agent_runtime::MethodCall{std::string(method), std::move(args)}});
}

}  // namespace ringroom
