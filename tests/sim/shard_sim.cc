#include "shard_sim.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace ringroom::sim {

namespace {

constexpr std::uint64_t millisecond_ns = 1'000'000;
constexpr std::uint64_t second_ns = 1'000 * millisecond_ns;

// Rounds of a story; then everybody hurries, and has so many more to come to an end.
constexpr int rounds = 400;
constexpr int rounds_hurried_max = 20'000;

// Longer than any story: a timeout would be a failure that isn't one.
constexpr std::chrono::milliseconds patience = std::chrono::hours(1);

std::size_t largest_payload(base::Random& random, const FaultProfile& faults) {
  const std::size_t narrowest =
      std::min({faults.send_buffer_bytes, faults.receive_buffer_bytes, faults.client_window_bytes});
  const std::size_t bound = std::min<std::size_t>(narrowest * 20, 300'000);
  return random.next() % 3 == 0 ? bound : std::min<std::size_t>(bound, 400);
}

}  // namespace

bool ShardSimulation::Visitor::reads_all() const {
  return requests == 0 ||
         received.find("[[" + std::to_string(requests - 1) + "]]") != std::string::npos;
}

ShardSimulation::ShardSimulation(std::uint64_t seed, const FaultProfile& faults)
    : seed_(seed),
      random_(seed),
      world_(seed, faults),
      config_(make_config(random_, faults)),
      shards_(static_cast<unsigned>(1 + random_.next() % 3)),
      fleet_(std::make_unique<SimFleet>(world_, config_, shards_)),
      payload_bytes_max_(largest_payload(random_, faults)) {}

shard::Config ShardSimulation::make_config(base::Random& random, const FaultProfile& faults) {
  shard::Config config;
  config.classes = simulated_classes();
  if (random.next() % 4 != 0) config.hibernate_after = std::chrono::milliseconds(20);
  config.handshake_timeout = patience;
  config.close_timeout = patience;
  config.keep_alive_timeout = patience;
  // Who is silent because time jumped isn't dead.
  const bool pings = random.next() % 4 == 0;
  if (pings && faults.time_jumped == 0) config.ping_every = std::chrono::seconds(20);
  const std::uint64_t budgets_us[] = {0, 1, 200};
  config.turn_budget = std::chrono::microseconds(budgets_us[random.next() % 3]);
  config.message_bytes_max = 4 << 20;
  config.attachment_bytes_max = 2048;
  // Lossless unless the seed wants readers to be too slow.
  const bool tight = random.next() % 4 == 0;
  config.outbox_bytes_max =
      tight ? std::max<std::size_t>(4096, faults.send_buffer_bytes) : outbox_bytes_lossless;
  config.body_bytes_max = 1 << 20;
  config.room_connections_max = 1000;
  // 64 are the reserve that is never used.
  config.files_max = random.next() % 8 == 0 ? 64 + 8 : files_max_normal;
  return config;
}

std::string ShardSimulation::describe() const {
  return "seed " + std::to_string(seed_) + ", " + std::to_string(shards_) + " shards, " +
         std::to_string(players_.size()) + " players, payloads up to " +
         std::to_string(payload_bytes_max_) + ", outbox " +
         std::to_string(config_.outbox_bytes_max) + ", files " + std::to_string(config_.files_max) +
         ", budget " + std::to_string(config_.turn_budget.count()) + " ns, " +
         world_.faults().describe();
}

std::vector<std::string> ShardSimulation::run() {
  add_players();
  add_visitors();
  gather_members();
  play();
  finish();
  leave_nothing();
  stop();
  check_players();
  check_visitors();
  for (const std::string& fault : journal_.faults()) expect(false, fault);
  return faults_;
}

bool ShardSimulation::chance(double probability) {
  return static_cast<double>(random_.next() >> 11) * 0x1.0p-53 < probability;
}

void ShardSimulation::expect(bool holds, const std::string& what) {
  if (!holds) faults_.push_back(what);
}

void ShardSimulation::run_fleet(std::uint64_t nanoseconds) {
  if (!fleet_->run(nanoseconds)) expect(false, "the shards never come to rest");
}

Behaviour ShardSimulation::draw_behaviour() {
  Behaviour behaviour;
  // Where the table is small, whoever stays keeps others out.
  behaviour.ending = static_cast<Ending>(below(has_small_table() ? 7 : 8));
  behaviour.messages = below(25);
  behaviour.may_be_given_up = is_tight();
  behaviour.payload_bytes_max = payload_bytes_max_;
  behaviour.send_probability = chance(0.3) ? 1 : 0.1 + 0.1 * static_cast<double>(below(5));
  behaviour.eager = chance(0.3);
  if (chance(0.3)) behaviour.read_probability = chance(0.5) ? 0.02 : 0.3;
  if (chance(0.2)) {
    behaviour.bytes_per_step = 1 + below(40);
    behaviour.payload_bytes_max = std::min<std::size_t>(payload_bytes_max_, 200);
  }
  return behaviour;
}

void ShardSimulation::add_players() {
  const std::uint64_t echoes = below(6);
  for (std::uint64_t i = 0; i < echoes; ++i) {
    Behaviour behaviour = draw_behaviour();
    behaviour.room_class = "sim-echo";
    behaviour.room = "room-" + std::to_string(below(3));
    add_player(behaviour, false);
  }
  const std::string relay = chance(0.3) ? "sim-ticker" : "sim-relay";
  const std::uint64_t members = below(6);
  for (std::uint64_t i = 0; i < members; ++i) {
    Behaviour behaviour = draw_behaviour();
    behaviour.room_class = relay;
    behaviour.room = "hall";
    behaviour.eager = false;
    behaviour.stays_till_told = !has_small_table() && chance(0.6);
    add_player(behaviour, true);
  }
}

void ShardSimulation::add_player(const Behaviour& behaviour, bool member) {
  const std::string id = "p" + std::to_string(players_.size());
  players_.push_back(std::make_unique<SimPlayer>(
      id, behaviour, world_.connect(fleet_->any_listener()), seed_ * 1000 + players_.size()));
  if (member) members_.push_back(players_.back().get());
}

void ShardSimulation::add_visitors() {
  const std::uint64_t visitors = below(4);
  for (std::uint64_t i = 0; i < visitors; ++i) {
    Visitor visitor{.client = world_.connect(fleet_->any_listener()), .output = {}, .received = {}};
    if (chance(0.7)) visitor.requests = 1 + below(6);
    for (std::size_t request = 0; request < visitor.requests; ++request) {
      visitor.output += "GET /agents/sim-echo/room-" + std::to_string(below(5)) +
                        "?n=" + std::to_string(request) + " HTTP/1.1\r\nHost: sim.example\r\n\r\n";
    }
    if (visitor.requests == 0)
      visitor.output = chance(0.5) ? "GET / HT" : "\x16\x03\x01 nonsense\r\n\r\n";
    visitors_.push_back(std::move(visitor));
  }
}

void ShardSimulation::step_visitor(Visitor& visitor) {
  const std::size_t bytes = std::min<std::size_t>(visitor.output.size(), 1 + below(300));
  visitor.client.write(std::string_view(visitor.output).substr(0, bytes));
  visitor.output.erase(0, bytes);
  visitor.received += visitor.client.read_text();
  if (visitor.output.empty() && (visitor.client.saw_fin() || visitor.reads_all())) {
    visitor.client.close();
  }
}

// Members shake hands before anybody says anything, so that all must get everything.
void ShardSimulation::gather_members() {
  const auto is_in = [](const SimPlayer* member) { return member->socket().status() == 101; };
  for (int i = 0; i < 200 && !std::all_of(members_.begin(), members_.end(), is_in); ++i) {
    for (SimPlayer* member : members_) member->socket().step(1000);
    run_fleet(millisecond_ns);
  }
  std::erase_if(members_, [&](const SimPlayer* member) { return !is_in(member); });
}

void ShardSimulation::play() {
  for (int round = 0; round < rounds; ++round) {
    for (const auto& player : players_) {
      if (chance(0.5)) player->step();
    }
    for (Visitor& visitor : visitors_) {
      if (chance(0.3)) step_visitor(visitor);
    }
    if (chance(0.02)) {
      Behaviour latecomer = draw_behaviour();
      latecomer.room_class = chance(0.5) ? "sim-echo" : "sim-relay";
      latecomer.room = latecomer.room_class == "sim-echo" ? "room-1" : "hall";
      add_player(latecomer, false);
    }
    run_fleet(below(500'000));
  }
}

bool ShardSimulation::is_waited_for(const SimPlayer& player, bool told) const {
  if (player.is_over()) return false;
  const Behaviour& behaviour = player.behaviour();
  const bool patient = behaviour.ending == Ending::stay || (behaviour.stays_till_told && !told);
  return !(patient && player.has_sent_all() && player.socket().queued_bytes() == 0);
}

// All have said everything: when the last of it has arrived, the members may leave.
void ShardSimulation::tell_members() {
  for (int i = 0; i < 300; ++i) {
    for (const auto& player : players_) player->step();
    run_fleet(10 * millisecond_ns);
  }
  for (const auto& player : players_) player->may_end();
}

// Everybody reads and writes whatever there is; members leave when all have said everything.
void ShardSimulation::finish() {
  for (const auto& player : players_) player->hurry();
  bool told = false;
  for (int round = 0; round < rounds_hurried_max; ++round) {
    bool waiting = false;
    for (const auto& player : players_) {
      player->step();
      waiting = waiting || is_waited_for(*player, told);
    }
    for (Visitor& visitor : visitors_) {
      step_visitor(visitor);
      waiting = waiting || !(visitor.client.is_closed_by_server() || visitor.requests == 0);
    }
    run_fleet(millisecond_ns);
    if (waiting) continue;
    if (told) return;
    tell_members();
    told = true;
  }
  expect(false, "not everybody came to an end");
}

void ShardSimulation::leave_nothing() {
  for (const Visitor& visitor : visitors_) SimClient(visitor.client).close();
  for (int i = 0; i < 8; ++i) run_fleet(second_ns);
  const auto staying = static_cast<std::uint64_t>(
      std::count_if(players_.begin(), players_.end(), [](const auto& p) { return !p->is_over(); }));
  expect(fleet_->connections_open() == staying,
         std::to_string(fleet_->connections_open()) + " connections are left, " +
             std::to_string(staying) + " clients" + fleet_->describe_connections());
  expect(world_.files_open() == staying, std::to_string(world_.files_open()) + " files are left");
  expect(world_.buffer_users() == 0, std::to_string(world_.buffer_users()) + " buffers are held");
  expect(fleet_->at_rest(), "a hub isn't at rest");
  // An accept and the stop's event for each shard; a receive for each connection, and a send of
  // the ticks that it hasn't read since its last step.
  expect(world_.requests_armed() <= 2 * shards_ + 2 * staying,
         std::to_string(world_.requests_armed()) + " requests are armed");
  if (staying == 0 && config_.hibernate_after) {
    expect(journal_.agents_alive() == 0,
           std::to_string(journal_.agents_alive()) + " agents are awake");
    expect(fleet_->rooms() == 0, std::to_string(fleet_->rooms()) + " rooms are left");
  }
}

void ShardSimulation::stop() {
  fleet_->stop();
  for (int i = 0; i < 10'000 && !fleet_->is_stopped(); ++i) {
    for (const auto& player : players_) player->step();
    run_fleet(millisecond_ns);
  }
  expect(fleet_->is_stopped(), "a shard doesn't stop");
  for (const auto& player : players_) player->step();
  fleet_.reset();
  expect(journal_.agents_alive() == 0, "an agent outlived its shard");
}

void ShardSimulation::check_players() {
  for (const auto& player : players_) {
    const std::string wrong = player->check(journal_.of(player->id()));
    expect(wrong.empty(), wrong);
    if (player->socket().status() == 0 && !player->socket().was_reset()) {
      const Ending ending = player->behaviour().ending;
      expect(ending == Ending::vanish, player->name() + " got no answer");
    }
    if (player->socket().status() != 0 && player->socket().status() != 101) {
      expect(player->socket().status() == 503 &&
                 (has_small_table() || world_.faults().move_failed > 0),
             player->name() + " was answered " + std::to_string(player->socket().status()));
    }
    if (player->socket().close_code() == 1013) {
      expect(is_tight(), player->name() + " was closed with 1013");
    }
    if (player->behaviour().room_class == "sim-echo") {
      check_echo(*player);
    } else {
      check_relay(*player);
    }
  }
}

void ShardSimulation::check_echo(const SimPlayer& player) {
  const std::vector<std::string>& got = player.socket().messages();
  expect(got.size() <= player.sent(), player.name() + " got more than it sent");
  for (std::size_t i = 0; i < std::min(got.size(), player.sent()); ++i) {
    if (got[i] == player.payload(i)) continue;
    return expect(false, player.name() + ": echo " + std::to_string(i) + " is not what was sent");
  }
  if (!player.must_be_delivered() || player.behaviour().ending == Ending::fin) return;
  expect(got.size() == player.sent(), player.name() + ": " + std::to_string(got.size()) + " of " +
                                          std::to_string(player.sent()) + " echoes came");
}

void ShardSimulation::check_relay(const SimPlayer& receiver) {
  struct Heard {
    std::size_t first = 0;
    std::size_t next = 0;
  };
  std::map<std::string, Heard> heard;
  std::uint64_t last_tick = 0;
  for (const std::string& message : receiver.socket().messages()) {
    if (message.starts_with("tick ")) {
      const std::uint64_t number = std::stoull(message.substr(5));
      expect(number > last_tick, receiver.name() + ": ticks go backwards");
      last_tick = number;
      continue;
    }
    const std::size_t colon = message.find(':');
    const std::string id = message.substr(0, colon);
    const auto sender = std::find_if(players_.begin(), players_.end(),
                                     [&](const auto& player) { return player->id() == id; });
    if (colon == std::string::npos || sender == players_.end() || id == receiver.id()) {
      return expect(false, receiver.name() + " got what nobody sent it");
    }
    const std::size_t number = std::strtoull(message.c_str() + colon + 1, nullptr, 10);
    const auto [entry, is_first] = heard.try_emplace(id, Heard{number, number});
    if (number != entry->second.next || message != (*sender)->payload(number)) {
      return expect(false, receiver.name() + ": message " + std::to_string(number) + " of " + id +
                               " came after " + std::to_string(entry->second.next) +
                               " or is damaged");
    }
    ++entry->second.next;
  }
  const bool was_there = std::find(members_.begin(), members_.end(), &receiver) != members_.end() &&
                         receiver.behaviour().stays_till_told && receiver.must_be_delivered();
  if (!was_there) return;
  for (const auto& sender : players_) {
    const Behaviour& behaviour = sender->behaviour();
    if (sender.get() == &receiver || behaviour.room_class != receiver.behaviour().room_class ||
        !sender->must_be_delivered()) {
      continue;
    }
    const Heard& of_sender = heard[sender->id()];
    expect(of_sender.first == 0 && of_sender.next == sender->sent(),
           receiver.name() + " heard " + std::to_string(of_sender.next) + " of " +
               std::to_string(sender->sent()) + " messages of " + sender->name());
  }
}

void ShardSimulation::check_visitors() {
  for (const Visitor& visitor : visitors_) {
    std::size_t from = 0;
    for (std::size_t request = 0; request < visitor.requests; ++request) {
      const std::size_t found = visitor.received.find("[[" + std::to_string(request) + "]]", from);
      if (found == std::string::npos) {
        expect(visitor.client.saw_reset(), "a request got no answer");
        break;
      }
      from = found;
    }
  }
}

}  // namespace ringroom::sim
