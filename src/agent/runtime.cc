#include "agent/runtime.h"

#include <utility>

namespace ringroom::agent_runtime {

using detail::AgentClassInfo;
using detail::Host;

Runtime::Runtime(const RuntimeOptions& options,
                 connection::Hub& hub,
                 store::Store& store,
                 base::TimerHeap& timers,
                 Watch& watch,
                 ShardServices& shard,
                 base::Random random)
    : options_(options),
      hub_(hub),
      store_(store),
      timers_(timers),
      watch_(watch),
      shard_(shard),
      random_(random),
      alarms_(*this, options.alarm_index) {}

Runtime::~Runtime() = default;

Host* Runtime::find(const AgentClassInfo& info, std::string_view name) {
  return rooms_.find(info, name);
}

Host& Runtime::find_or_make(const AgentClassInfo& info, std::string_view name) {
  if (Host* host = find(info, name)) return *host;
  return rooms_.add(std::make_unique<Host>(*this, info, name));
}

void Runtime::remove(Host& host) {
  watch_.forget(&host);
  rooms_.take(host);
}

void Runtime::note_awake(Host& host) {
  host.awake_index() = static_cast<std::uint32_t>(awake_.size());
  awake_.push_back(&host);
  counts_.agents_awake = awake_.size();
}

void Runtime::note_asleep(Host& host) {
  const std::uint32_t hole = host.awake_index();
  awake_.back()->awake_index() = hole;
  awake_[hole] = awake_.back();
  awake_.pop_back();
  counts_.agents_awake = awake_.size();
}

AwakeCounts Runtime::awake_counts() const {
  AwakeCounts counts{};
  for (const Host* host : awake_) {
    const AwakeReasons reasons = host->awake_reasons();
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += reasons.has(i) ? 1U : 0U;
  }
  return counts;
}

void Runtime::fire(base::Timer& timer) {
  if (alarms_.owns(timer)) return alarms_.fire();
  host(timer.owner).fire(timer);
}

void Runtime::commit_turn() {
  const auto tell = [this](const store::RoomStore& room, store::Committed result) {
    if (room.owner() != store::RoomStore::no_owner) host(room.owner()).committed(result);
  };
  store_.commit_turn(tell);
  if (alarms_.settle_all()) store_.commit_turn(tell);
}

void Runtime::open_gates(std::optional<std::uint64_t> lost) {
  if (lost) {
    alarms_.lose_all();
    const std::vector<Host*> awake = awake_;
    for (Host* host : awake) {
      if (host->is_gated()) host->lose_writes(*lost);
    }
    for (const std::uint32_t room : ended_) {
      if (host(room).is_gated()) host(room).lose_writes(*lost);
    }
  }
  hub_.open_gates(store_.durable());
  std::erase_if(ended_, [this](std::uint32_t room) { return !host(room).is_gated(); });
  has_work_ = false;
  if (holding_back_.empty()) return;
  std::size_t left = connection::releases_of_turn(holding_back_.size());
  for (const std::uint32_t room : std::exchange(holding_back_, {})) {
    if (exists(room) && !host(room).release_held_back(left)) holding_back_.push_back(room);
  }
  has_work_ = left == 0;
}

void Runtime::when_opened(std::string database, std::function<void()> event) {
  waiting_[std::move(database)].push_back(std::move(event));
}

void Runtime::file_opened(const std::string& database) {
  auto found = waiting_.extract(database);
  if (found.empty()) return;
  for (const auto& event : found.mapped()) event();
}

void Runtime::stop() {
  waiting_.clear();
  std::vector<Host*> hosts;
  rooms_.for_each([&](Host& host) { hosts.push_back(&host); });
  for (Host* host : hosts) remove(*host);
  alarms_.stop();
}

}  // namespace ringroom::agent_runtime
