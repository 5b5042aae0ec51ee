// Letters between shards: pushed at the end of a turn, with one ring of the bell for those asleep.
#include "base/assert.h"
#include "shard/letters.h"
#include "shard/shard.h"

namespace ringroom::shard {

using reactor::Op;
using reactor::Tag;

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
  const std::uint64_t ticket = next_ticket_++;
  Tally& tally = tallies_[ticket];
  tally.shards_missing = fleet_.shards();
  const Deferred<std::vector<RoomInfo>> answer = tally.answer;
  for (unsigned shard = 0; shard < fleet_.shards(); ++shard) {
    post(shard, std::make_unique<RoomsQuestion>(index_, ticket));
  }
  return answer;
}

void Shard::rooms_counted(std::uint64_t ticket, std::vector<RoomInfo> rooms) {
  const auto found = tallies_.find(ticket);
  ASSERT(found != tallies_.end());
  Tally& tally = found->second;
  tally.rooms.insert(tally.rooms.end(), rooms.begin(), rooms.end());
  if (--tally.shards_missing > 0) return;
  Tally whole = std::move(tally);
  tallies_.erase(found);
  whole.answer.resolve(std::move(whole.rooms));
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
