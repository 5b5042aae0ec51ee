// Letters between shards: pushed at the end of a turn, with one ring of the bell for those asleep.
#include "base/assert.h"
#include "shard/letters.h"
#include "shard/shard.h"

namespace ringroom::shard {

using reactor::Op;
using reactor::Tag;

// Puts a question to all shards, this one too.
template <typename Question, typename Whole>
Deferred<Whole> Shard::ask_all(Tallies<Whole>& asked) {
  const std::uint64_t ticket = next_ticket_++;
  Tally<Whole>& tally = asked[ticket];
  tally.shards_missing = fleet_.shards();
  const Deferred<Whole> answer = tally.answer;
  for (unsigned shard = 0; shard < fleet_.shards(); ++shard) {
    post(shard, std::make_unique<Question>(index_, ticket));
  }
  return answer;
}

// One shard's part; the last one resolves the question.
template <typename Whole, typename Add>
void Shard::add_answer(Tallies<Whole>& asked, std::uint64_t ticket, Add add) {
  const auto found = asked.find(ticket);
  ASSERT(found != asked.end());
  add(found->second.whole);
  if (--found->second.shards_missing > 0) return;
  Tally<Whole> tally = std::move(found->second);
  asked.erase(found);
  tally.answer.resolve(std::move(tally.whole));
}

void Shard::post(unsigned shard, std::unique_ptr<Letter> letter) {
  if (shard == index_) return letter->open(*this);
  outgoing_[shard].push_back(std::move(letter));
}

void Shard::push_outgoing() {
  for (unsigned shard = 0; shard < outgoing_.size(); ++shard) {
    std::vector<std::unique_ptr<Letter>>& letters = outgoing_[shard];
    if (letters.empty()) continue;
    Lane& lane = fleet_.lane(shard);
    std::size_t pushed = 0;
    while (pushed < letters.size() && lane.inboxes[index_]->push(letters[pushed].get())) {
      static_cast<void>(letters[pushed++].release());  // the other shard's now
    }
    letters.erase(letters.begin(), letters.begin() + static_cast<std::ptrdiff_t>(pushed));
    // Either it sees the letter before it sleeps, or we see it asleep.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (lane.asleep.load(std::memory_order_relaxed)) {
      ring_->wake(lane.ring_descriptor, Tag::of(Op::letters, index_));
    }
  }
}

Deferred<std::vector<RoomInfo>> Shard::collect_rooms() {
  return ask_all<RoomsQuestion>(rooms_asked_);
}

void Shard::rooms_counted(std::uint64_t ticket, std::vector<RoomInfo> rooms) {
  add_answer(rooms_asked_, ticket, [&](std::vector<RoomInfo>& all) {
    all.insert(all.end(), rooms.begin(), rooms.end());
  });
}

Deferred<agent_runtime::AwakeCounts> Shard::collect_awake() {
  return ask_all<AwakeQuestion>(awake_asked_);
}

void Shard::awake_counted(std::uint64_t ticket, const agent_runtime::AwakeCounts& counts) {
  add_answer(awake_asked_, ticket, [&](agent_runtime::AwakeCounts& all) {
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += counts[i];
  });
}

void Shard::open_letters() {
  Letter* letter = nullptr;
  for (const auto& inbox : lane_.inboxes) {
    while (inbox->pop(letter)) {
      const std::unique_ptr<Letter> owned(letter);
      owned->open(*this);
    }
  }
}

}  // namespace ringroom::shard
