#include "sim_fleet.h"

#include "base/assert.h"
#include "base/random.h"

#include <algorithm>

namespace ringroom::sim {

namespace {

// Rounds that nothing comes of, until all shards count as at rest: letters between them need one
// more turn than the rings know of.
constexpr int quiet_rounds = 3;
constexpr int rounds_max = 200'000;

std::vector<int> make_listeners(SimWorld& world, unsigned shards) {
  std::vector<int> listeners;
  for (unsigned i = 0; i < shards; ++i) listeners.push_back(world.listen());
  return listeners;
}

}  // namespace

SimFleet::SimFleet(SimWorld& world, const shard::Config& config, unsigned shards)
    : world_(world), listeners_(make_listeners(world, shards)), fleet_(config, listeners_, -1) {
  const std::string trouble = fleet_.open_data(store::Helper::Worker::caller);
  ASSERT(trouble.empty());
  for (unsigned i = 0; i < shards; ++i) {
    std::string failure;
    shards_.push_back(shard::Shard::make(fleet_, i, base::Random(world.seed() * 64 + i), failure));
    ASSERT(shards_.back() != nullptr);
  }
  world_.set_while_waiting([this](int waiting) {
    if (!world_.chance(0.3)) return;
    const auto other = static_cast<unsigned>(world_.below(shards_.size()));
    if (shards_[other] && shards_[other]->ring().descriptor() != waiting) turn(other);
  });
}

SimFleet::~SimFleet() {
  world_.set_while_waiting(nullptr);
}

int SimFleet::any_listener() {
  return listeners_[world_.below(listeners_.size())];
}

void SimFleet::turn(unsigned index) {
  if (shards_[index] && !shards_[index]->turn()) shards_[index].reset();
}

bool SimFleet::run(std::uint64_t nanoseconds) {
  world_.limit_time(world_.now_ns() + nanoseconds);
  int quiet = 0;
  for (int round = 0; quiet < quiet_rounds; ++round) {
    if (round == rounds_max) return false;
    const auto first = static_cast<unsigned>(world_.below(shards_.size()));
    for (unsigned i = 0; i < shards_.size(); ++i) {
      turn((first + i) % static_cast<unsigned>(shards_.size()));
    }
    help();
    quiet = world_.is_quiet() ? quiet + 1 : 0;
  }
  return true;
}

// Sooner or later.
void SimFleet::help() {
  store::Helper* helper = fleet_.storage_helper();
  if (helper != nullptr && world_.chance(0.3)) helper->work();
}

bool SimFleet::is_stopped() const {
  return std::all_of(shards_.begin(), shards_.end(), [](const auto& shard) { return !shard; });
}

std::uint64_t SimFleet::sum(const shard::Counter shard::Stats::*counter) const {
  std::uint64_t total = 0;
  for (unsigned i = 0; i < shards_.size(); ++i) total += (fleet_.stats(i).*counter).value();
  return total;
}

std::uint64_t SimFleet::connections_open() const {
  return sum(&shard::Stats::connections_open);
}

std::uint64_t SimFleet::rooms() const {
  return sum(&shard::Stats::rooms);
}

std::uint64_t SimFleet::agents_awake() const {
  return sum(&shard::Stats::agents_awake);
}

std::uint64_t SimFleet::handovers() const {
  return sum(&shard::Stats::handovers_total);
}

bool SimFleet::at_rest() const {
  return std::all_of(shards_.begin(), shards_.end(),
                     [](const auto& shard) { return !shard || shard->hub().at_rest(); });
}

std::string SimFleet::describe_connections() const {
  std::string text;
  for (const auto& shard : shards_) {
    if (shard == nullptr) continue;
    connection::Slab& slab = shard->hub().slab();
    for (std::uint32_t slot = 0; slot < slab.end(); ++slot) {
      const connection::Record& record = slab[slot];
      if (record.stage == connection::Stage::free) continue;
      text += " [shard " + std::to_string(shard->index()) + " slot " + std::to_string(slot) +
              " stage " + std::to_string(static_cast<int>(record.stage)) + " flags " +
              std::to_string(record.flags) + "]";
    }
  }
  return text;
}

}  // namespace ringroom::sim
