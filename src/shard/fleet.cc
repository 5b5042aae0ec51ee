#include "shard/fleet.h"

#include "base/assert.h"
#include "shard/lane.h"
#include "shard/shard.h"
#include "store/alarm_move.h"
#include "store/rename.h"

#include <atomic>
#include <string>
#include <utility>

#include <xxhash.h>

#include <sys/eventfd.h>
#include <unistd.h>

namespace ringroom::shard {

Lane::Lane(unsigned shards) : stop_event(eventfd(0, EFD_CLOEXEC)) {
  ASSERT(stop_event >= 0);
  for (unsigned i = 0; i < shards; ++i) inboxes.push_back(std::make_unique<Mailbox>());
}

// A shard that ends later may still write to one that has ended: those letters are here.
Lane::~Lane() {
  Letter* letter = nullptr;
  for (const auto& inbox : inboxes) {
    while (inbox->pop(letter)) const std::unique_ptr<Letter> unread(letter);
  }
  close(stop_event);
}

Fleet::Fleet(const Config& config, std::vector<int> listeners, int admin_listener)
    : config_(config) {
  const auto shards = static_cast<unsigned>(listeners.size());
  for (unsigned i = 0; i < shards; ++i) {
    lanes_.push_back(std::make_unique<Lane>(shards));
    lanes_.back()->listener = listeners[i];
  }
  lanes_.front()->admin_listener = admin_listener;
}

Fleet::~Fleet() = default;

// Synced writes go past the page cache: a third of the CPU.
Fleet::Data::Data(const Config& config,
                  store::FolderLock taken,
                  store::Leftover leftover,
                  store::Helper::Worker worker)
    : lock(std::move(taken)),
      helper(config.data,
             config.durability == Durability::strict ? store::Access::direct : store::Access::write,
             std::move(leftover),
             worker) {}

std::string Fleet::open_data(store::Helper::Worker worker) {
  if (config_.data == ":memory:") return {};
  store::FolderLock lock;
  store::Trouble trouble = lock.take(config_.data);
  const bool ended_well = trouble.empty() && !store::has_segments(config_.data);
  store::Leftover leftover(config_.data);
  if (trouble.empty()) trouble = store::recover(config_.data, &leftover);
  store::Renamed renamed;
  for (const detail::AgentClassInfo& info : config_.classes) {
    const std::string_view old = info.options.renamed_from;
    if (!trouble.empty() || old.empty()) continue;
    trouble = store::rename_class(config_.data, old, info.name, leftover.behind().get());
    renamed.emplace_back(old, info.name);
  }
  if (trouble.empty()) {
    const auto check = ended_well ? store::Check::doubted : store::Check::all;
    trouble = store::move_alarms(config_.data, shards(), &Fleet::home_of, renamed, check);
  }
  if (!trouble.empty()) return "--data: " + trouble;
  data_ = std::make_unique<Data>(config_, std::move(lock), std::move(leftover), worker);
  return {};
}

std::unique_ptr<Shard> Fleet::make_shard(unsigned index, std::string& failure) {
  auto shard = Shard::make(*this, index, base::Random::from_kernel(), failure);
  if (shard != nullptr) agent_runtime::Watch::set_of_thread(&lane(index).watch);
  return shard;
}

void Fleet::stop() {
  const std::uint64_t one = 1;
  for (const auto& lane : lanes_) {
    // Can only fail when the counter is full, and then the shard has been told.
    static_cast<void>(!write(lane->stop_event, &one, sizeof(one)));
  }
}

const Stats& Fleet::stats(unsigned index) const {
  return lanes_[index]->stats;
}

unsigned Fleet::home_of(std::string_view class_name, std::string_view room, unsigned shards) {
  const std::uint64_t of_class = XXH3_64bits(class_name.data(), class_name.size());
  const std::uint64_t of_room = XXH3_64bits_withSeed(room.data(), room.size(), of_class);
  return static_cast<unsigned>(of_room % shards);
}

unsigned Fleet::home_of(std::string_view class_name, std::string_view room) const {
  return home_of(class_name, room, shards());
}

std::uint64_t Fleet::callback_sequence(unsigned index) const {
  const agent_runtime::Watch& watch = lanes_[index]->watch;
  return watch.inside() ? watch.sequence() : 0;
}

std::string Fleet::callback_label(unsigned index, std::uint64_t sequence) const {
  return lanes_[index]->watch.label_of(sequence);
}

std::string_view Fleet::current_callback() {
  const agent_runtime::Watch* watch = agent_runtime::Watch::of_thread();
  if (watch == nullptr || !watch->inside()) return {};
  return watch->label();
}

std::string Fleet::ring_description() const {
  return lanes_.front()->ring_description;
}

}  // namespace ringroom::shard
