// The letters that shards write each other: a request for a room's home, its answer, what agents
// ask agents, orders to record, and the questions which rooms there are, and why they are awake.
// Made by one shard, opened and destroyed by another. What waits for an answer stays with the asker
// under a ticket, so nothing that is counted crosses threads.
#pragma once

#include "shard/shard.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ringroom::shard {

class ResponseLetter final : public Letter {
 public:
  ResponseLetter(std::uint64_t ticket, Response response)
      : ticket_(ticket), response_(std::move(response)) {}
  void open(Shard& asker) override { asker.answered(ticket_, std::move(response_)); }

 private:
  std::uint64_t ticket_;
  Response response_;
};

class RequestLetter final : public Letter {
 public:
  RequestLetter(unsigned from,
                std::uint64_t ticket,
                const detail::AgentClassInfo& info,
                std::string room,
                Request request)
      : from_(from),
        ticket_(ticket),
        info_(info),
        room_(std::move(room)),
        request_(std::move(request)) {}

  void open(Shard& home) override {
    const auto back = [&home, from = from_, ticket = ticket_](Response response) {
      home.post(from, std::make_unique<ResponseLetter>(ticket, std::move(response)));
    };
    home.ask_room(info_, room_, request_).then(back, [back](const std::string& why) {
      back(Response::text(500, why));
    });
  }

 private:
  unsigned from_;
  std::uint64_t ticket_;
  const detail::AgentClassInfo& info_;
  std::string room_;
  Request request_;
};

class AnswerLetter final : public Letter {
 public:
  AnswerLetter(const agent_runtime::Asker& asker, agent_runtime::Answer answer)
      : asker_(asker), answer_(std::move(answer)) {}
  void open(Shard& shard) override { shard.take_answer(asker_, std::move(answer_)); }

 private:
  agent_runtime::Asker asker_;
  agent_runtime::Answer answer_;
};

class QuestionLetter final : public Letter {
 public:
  QuestionLetter(unsigned from,
                 const agent_runtime::Asker& asker,
                 const detail::AgentClassInfo& info,
                 agent_runtime::Question question)
      : from_(from), asker_(asker), info_(info), question_(std::move(question)) {}
  void open(Shard& home) override {
    home.take_question(from_, asker_, info_, std::move(question_));
  }

 private:
  unsigned from_;
  agent_runtime::Asker asker_;
  const detail::AgentClassInfo& info_;
  agent_runtime::Question question_;
};

class QueryLetter final : public Letter {
 public:
  QueryLetter(unsigned from, std::uint64_t ticket, RoomQuery query)
      : from_(from), ticket_(ticket), query_(std::move(query)) {}
  void open(Shard& home) override { home.take_query(from_, ticket_, query_); }

 private:
  unsigned from_;
  std::uint64_t ticket_;
  RoomQuery query_;
};

class RecordLetter final : public Letter {
 public:
  explicit RecordLetter(RecordingOrder order) : order_(std::move(order)) {}
  void open(Shard& home) override { home.start_recording(std::move(order_)); }

 private:
  RecordingOrder order_;
};

class StopRecordingLetter final : public Letter {
 public:
  StopRecordingLetter(const detail::AgentClassInfo& info, std::string room)
      : info_(info), room_(std::move(room)) {}
  void open(Shard& home) override { home.end_recording_of(info_.name, room_); }

 private:
  const detail::AgentClassInfo& info_;
  std::string room_;
};

class AwakeAnswer final : public Letter {
 public:
  AwakeAnswer(std::uint64_t ticket, const agent_runtime::AwakeCounts& counts)
      : ticket_(ticket), counts_(counts) {}
  void open(Shard& asker) override { asker.awake_counted(ticket_, counts_); }

 private:
  std::uint64_t ticket_;
  agent_runtime::AwakeCounts counts_;
};

class AwakeQuestion final : public Letter {
 public:
  AwakeQuestion(unsigned from, std::uint64_t ticket) : from_(from), ticket_(ticket) {}
  void open(Shard& shard) override {
    shard.post(from_, std::make_unique<AwakeAnswer>(ticket_, shard.runtime().awake_counts()));
  }

 private:
  unsigned from_;
  std::uint64_t ticket_;
};

class RoomsAnswer final : public Letter {
 public:
  RoomsAnswer(std::uint64_t ticket, std::vector<RoomInfo> rooms)
      : ticket_(ticket), rooms_(std::move(rooms)) {}
  void open(Shard& asker) override { asker.rooms_counted(ticket_, std::move(rooms_)); }

 private:
  std::uint64_t ticket_;
  std::vector<RoomInfo> rooms_;
};

class RoomsQuestion final : public Letter {
 public:
  RoomsQuestion(unsigned from, std::uint64_t ticket) : from_(from), ticket_(ticket) {}
  void open(Shard& shard) override {
    shard.post(from_, std::make_unique<RoomsAnswer>(ticket_, shard.room_infos()));
  }

 private:
  unsigned from_;
  std::uint64_t ticket_;
};

}  // namespace ringroom::shard
