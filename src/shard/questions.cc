// Questions of agents to agents, and the answers: always by letter, to this shard too, so that no
// callback ever runs inside of another room's.
#include "shard/letters.h"
#include "shard/shard.h"

#include <algorithm>

namespace ringroom::shard {

using agent_runtime::Answer;
using agent_runtime::Asker;
using agent_runtime::CallChain;
using agent_runtime::Question;

namespace {

std::string path_of(const CallChain& chain, const std::string& target) {
  std::string path;
  for (const std::string& room : chain) path += room + " -> ";
  return path + target;
}

}  // namespace

std::optional<std::string> Shard::ask(const Asker& asker, Question question) {
  const detail::AgentClassInfo* info = router_.find_class(question.agent);
  if (info == nullptr) return "no class of agents is called '" + question.agent + "'";
  if (!is_room_name(question.room)) return "a room's name must be 1 to 1024 bytes of UTF-8";
  const std::string target = std::string(info->name) + "/" + question.room;
  const CallChain& chain = question.chain;
  if (std::find(chain.begin(), chain.end(), target) != chain.end()) {
    return "agents ask each other in a circle: " + path_of(chain, target);
  }
  if (chain.size() > limits::call_depth_max) {
    return "agents ask each other more than 16 deep: " + path_of(chain, target);
  }
  if (stopping_) return "the server is stopping";
  if (questions_open_ >= limits::shard_calls_open_max) {
    return "the agents of this shard wait for 65536 answers of other agents already";
  }
  ++questions_open_;
  const unsigned home = fleet_.home_of(info->name, question.room);
  outgoing_[home].push_back(
      std::make_unique<QuestionLetter>(index_, asker, *info, std::move(question)));
  return std::nullopt;
}

void Shard::take_question(unsigned from,
                          const Asker& asker,
                          const detail::AgentClassInfo& info,
                          Question question) {
  const auto back = [this, from, asker](Answer answer) {
    outgoing_[from].push_back(std::make_unique<AnswerLetter>(asker, std::move(answer)));
  };
  const std::string room = question.room;
  runtime_.find_or_make(info, room)
      .serve(std::move(question))
      .then(back, [back](const std::string& why) { back(Answer::failure(why)); });
}

void Shard::take_answer(const Asker& asker, Answer answer) {
  --questions_open_;
  if (runtime_.exists(asker.room)) {
    runtime_.host(asker.room).answered(asker.id, std::move(answer));
  }
}

}  // namespace ringroom::shard
