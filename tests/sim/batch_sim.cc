#include "batch_sim.h"

#include <algorithm>
#include <iterator>

namespace ringroom::sim {

namespace {

constexpr std::uint64_t millisecond_ns = 1'000'000;
constexpr int rounds = 250;
constexpr int rounds_hurried_max = 20'000;
constexpr std::size_t outbox_bytes_lossless = 64 << 20;
constexpr std::uint16_t kicked = 4001;
constexpr std::uint16_t left_normally = 4321;

// Longer than any story: a timeout would be a failure that isn't one.
constexpr std::chrono::milliseconds patience = std::chrono::hours(1);

std::string path_of(const std::string& room_class,
                    const std::string& room,
                    const std::string& id,
                    BatchFormat format) {
  const char* const batch[] = {"", "&batch=fb", "&batch=json"};
  return "/agents/" + room_class + "/" + room + "?_pk=" + id +
         batch[static_cast<std::size_t>(format)];
}

}  // namespace

BatchSimulation::BatchSimulation(std::uint64_t seed, const FaultProfile& faults)
    : seed_(seed),
      random_(seed),
      world_(seed, faults),
      config_(make_config(random_, faults)),
      fleet_(std::make_unique<SimFleet>(world_, config_, 1 + below(2))),
      tight_(config_.outbox_bytes_max < outbox_bytes_lossless) {
  const char* const classes[] = {"sim-batcher", "sim-batcher-newest", "sim-batcher-oldest"};
  room_class_ = classes[below(3)];
  flood_ = chance(0.5) ? 0.5 : 0.05;
}

shard::Config BatchSimulation::make_config(base::Random& random, const FaultProfile& faults) {
  shard::Config config;
  config.classes = batcher_classes();
  if (random.next() % 4 != 0) config.hibernate_after = std::chrono::milliseconds(10);
  config.handshake_timeout = patience;
  config.close_timeout = patience;
  config.keep_alive_timeout = patience;
  const std::uint64_t budgets_us[] = {0, 1, 200};
  config.turn_budget = std::chrono::microseconds(budgets_us[random.next() % 3]);
  config.message_bytes_max = 4 << 20;
  config.attachment_bytes_max = 2048;
  config.outbox_bytes_max = random.next() % 2 == 0
                                ? std::max<std::size_t>(8192, faults.send_buffer_bytes)
                                : outbox_bytes_lossless;
  config.body_bytes_max = 1 << 20;
  config.room_connections_max = 1000;
  config.files_max = 64 + 100;
  return config;
}

std::string BatchSimulation::describe() const {
  return "seed " + std::to_string(seed_) + ", " + room_class_ + ", " +
         std::to_string(clients_.size()) + " clients, outbox " +
         std::to_string(config_.outbox_bytes_max) + ", " + world_.faults().describe();
}

std::vector<std::string> BatchSimulation::run() {
  add_clients();
  play();
  finish();
  stop();
  for (const auto& client : clients_) check(*client);
  for (const std::string& fault : journal_.faults()) faults_.push_back(fault);
  return faults_;
}

bool BatchSimulation::chance(double probability) {
  return static_cast<double>(random_.next() >> 11) * 0x1.0p-53 < probability;
}

void BatchSimulation::expect(bool holds, const Client& client, const std::string& what) {
  if (!holds) faults_.push_back(client.id + " in " + client.room + ": " + what);
}

void BatchSimulation::run_fleet(std::uint64_t nanoseconds) {
  const int before = journal_.agents_alive();
  if (!fleet_->run(nanoseconds)) faults_.emplace_back("the shards never come to rest");
  if (journal_.agents_alive() > before) ++seen_.woken;
}

void BatchSimulation::add_clients() {
  const std::uint64_t count = 1 + below(6);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string id = "c" + std::to_string(i);
    const std::string room = below(4) == 0 ? "other" : "hall";
    const auto format = static_cast<BatchFormat>(below(5) % 3);
    const auto leaves = static_cast<Leaves>(below(5));
    const double reading[] = {1, 0.5, 0.05, 0};
    clients_.push_back(std::make_unique<Client>(
        Client{.id = id,
               .room = room,
               .format = format,
               .leaves = leaves,
               .leaves_early = chance(0.3),
               .read_probability = reading[below(4)],
               .scripts_left = below(40),
               .scripts = {},
               .socket = SimWebSocket(world_.connect(fleet_->any_listener()),
                                      path_of(room_class_, room, id, format), seed_ * 1000 + i)}));
  }
}

std::string BatchSimulation::draw_script() {
  std::string script(1, SimBatcher::script_begins);
  // Long ones fill outboxes.
  const std::uint64_t steps = chance(flood_) ? 200 : below(8);
  const std::string_view kinds = tight_ ? "qqqqkkbbbccsfFl" : "qqqkkbbccspfFl";
  for (std::uint64_t i = 0; i < steps; ++i) {
    const char kind = kinds[below(kinds.size())];
    script += kind;
    if (kind == 'k' || kind == 'c') script += static_cast<char>('A' + below(4));
    if (kind == 'l') script += static_cast<char>('0' + below(10));
  }
  return script;
}

// Several in one envelope, or one that comes by itself.
std::string BatchSimulation::wrap(Client& client,
                                  const std::vector<std::string>& scripts,
                                  bool packed) {
  if (!packed) {
    const std::string script = scripts.front() + SimBatcher::script_ends;
    return client.format == BatchFormat::json_text ? R"({"type":"do","it":")" + script + "\"}"
                                                   : script;
  }
  std::vector<std::string> texts;
  std::vector<BatchedMessage> messages;
  for (const std::string& script : scripts) texts.push_back(script + SimBatcher::script_ends);
  for (const std::string& text : texts) {
    messages.push_back(
        {.type = "do", .payload = std::as_bytes(std::span(text)), .kind = PayloadKind::text});
  }
  std::vector<std::byte> wire;
  const codec::envelope::Head head{1, ++client.envelope_number, 0};
  if (client.format == BatchFormat::flatbuffers) {
    codec::envelope::append_flat(wire, head, messages);
  } else {
    codec::envelope::append_json(wire, head, messages);
  }
  return {reinterpret_cast<const char*>(wire.data()), wire.size()};
}

void BatchSimulation::send_scripts(Client& client) {
  const bool packed = client.format != BatchFormat::none && chance(0.6);
  std::vector<std::string> scripts;
  const std::uint64_t count = packed ? 1 + below(4) : 1;
  for (std::uint64_t i = 0; i < count; ++i) scripts.push_back(draw_script());
  const bool is_text = client.format == BatchFormat::json_text || !packed;
  client.socket.send(wrap(client, scripts, packed), is_text, chance(0.2) ? 1 + below(3) : 1);
  client.scripts.insert(client.scripts.end(), scripts.begin(), scripts.end());
}

void BatchSimulation::leave(Client& client) {
  client.left = true;
  switch (client.leaves) {
    case Leaves::by_close: return client.socket.send_close(left_normally);
    case Leaves::by_kick: {
      const std::string kick = std::string(1, SimBatcher::script_begins) + 'x';
      client.scripts.push_back(kick);
      return client.socket.send(wrap(client, {kick}, false));
    }
    case Leaves::by_reset: return client.socket.reset();
    case Leaves::by_vanishing: return client.socket.vanish();
    case Leaves::never: return;
  }
}

void BatchSimulation::play() {
  for (int round = 0; round < rounds; ++round) {
    for (const auto& client : clients_) {
      SimWebSocket& socket = client->socket;
      socket.step(1 + below(4000), chance(client->read_probability));
      if (socket.status() != 101 || client->left || socket.is_over() || socket.close_code()) {
        continue;
      }
      if (client->scripts_left > 0 && chance(0.3)) {
        --client->scripts_left;
        send_scripts(*client);
      } else if (client->leaves_early && chance(0.01)) {
        leave(*client);
      }
    }
    // Now and then long enough to fall asleep.
    run_fleet(chance(0.05) ? 30 * millisecond_ns : below(millisecond_ns));
  }
}

// Everybody reads and writes whatever there is, and leaves when all has arrived.
void BatchSimulation::finish() {
  for (int round = 0; round < rounds_hurried_max; ++round) {
    bool waiting = false;
    for (const auto& client : clients_) {
      client->socket.step();
      waiting = waiting || (!client->socket.is_over() && client->socket.queued_bytes() > 0);
    }
    run_fleet(millisecond_ns);
    if (!waiting && round > 200) break;
  }
  for (const auto& client : clients_) {
    const bool open = client->socket.is_open();
    if (open && !client->left) leave(*client);
  }
  const auto is_done = [](const auto& client) {
    return client->socket.is_over() || client->leaves == Leaves::never;
  };
  for (int round = 0; round < rounds_hurried_max; ++round) {
    for (const auto& client : clients_) client->socket.step();
    run_fleet(millisecond_ns);
    if (std::all_of(clients_.begin(), clients_.end(), is_done)) return;
  }
  faults_.emplace_back("not everybody came to an end");
}

void BatchSimulation::stop() {
  fleet_->stop();
  for (int i = 0; i < 10'000 && !fleet_->is_stopped(); ++i) {
    for (const auto& client : clients_) client->socket.step();
    run_fleet(millisecond_ns);
  }
  if (!fleet_->is_stopped()) faults_.emplace_back("a shard doesn't stop");
  for (const auto& client : clients_) client->socket.step();
  fleet_.reset();
}

// Closed in order, by whichever side, and it read to the end.
bool BatchSimulation::must_get_everything(const Client& client) const {
  return client.socket.status() == 101 && !client.socket.was_reset() &&
         client.socket.close_code().has_value() && client.leaves != Leaves::by_reset &&
         client.leaves != Leaves::by_vanishing;
}

void BatchSimulation::check_scripts(const Client& client) {
  const std::vector<std::string>& heard = dispatches_.heard(client.id);
  const bool in_order = heard.size() <= client.scripts.size() &&
                        std::equal(heard.begin(), heard.end(), client.scripts.begin());
  expect(in_order, client, "the agent got other scripts than were sent");
  const auto code = client.socket.close_code();
  if (must_get_everything(client) && (code == left_normally || code == kicked)) {
    expect(heard.size() == client.scripts.size(), client,
           "the agent got " + std::to_string(heard.size()) + " of " +
               std::to_string(client.scripts.size()) + " scripts");
  }
}

// Walks through what the client got beside what it was owed: each once, in order, and of what it
// didn't get either a key's newer value came, or a gap marker told of it.
void BatchSimulation::check(const Client& client) {
  expect(client.socket.fault().empty(), client, client.socket.fault());
  if (client.socket.status() == 0) return;  // it left before
  expect(client.socket.status() == 101 || world_.faults().move_failed > 0, client,
         "was answered " + std::to_string(client.socket.status()));
  check_scripts(client);
  if (client.socket.close_code() == 1013) ++seen_.given_up;
  Walk walk{.owed = dispatches_.owed(client.id)};
  for (const std::string& wire : client.socket.messages()) {
    const ReceivedBatch batch = read_batch(wire, client.format, json_);
    std::string wrong = batch.fault;
    if (wrong.empty()) wrong = step(walk, batch);
    if (!wrong.empty()) return expect(false, client, wrong);
  }
  seen_.missed += walk.told;
  expect(walk.told == 0 || tight_, client, "a gap though everything fits");
  if (!must_get_everything(client)) return;
  const std::string wrong = step_to_end(walk);
  expect(wrong.empty(), client, wrong);
}

std::string BatchSimulation::step(Walk& walk, const ReceivedBatch& batch) {
  if (batch.is_envelope) {
    ++seen_.envelopes;
    if (batch.sequence <= walk.sequence) return "sequence numbers don't grow";
    walk.sequence = batch.sequence;
    walk.told += batch.missed;
  }
  for (const ReceivedMessage& message : batch.messages) {
    std::size_t at = walk.next;
    while (at < walk.owed.size() && walk.owed[at].value != message.value) ++at;
    if (at == walk.owed.size()) {
      return std::to_string(message.value) + " came twice, too late, or to the wrong one";
    }
    skip(walk, at);
    const Dispatch& dispatch = walk.owed[walk.next++];
    const std::string key = dispatch.key == 0 ? "" : std::string(1, dispatch.key);
    if (dispatch.plain == batch.is_envelope || (batch.is_envelope && message.key != key)) {
      return std::to_string(message.value) + " came in the wrong form";
    }
    walk.newest.erase(dispatch.plain ? '\0' : dispatch.key);
    if (walk.plain_missing > 0 && !tight_) return "a plain message is missing";
    if (walk.reliable_missing > walk.told) return "reliable messages are missing, and none told";
  }
  return {};
}

// Those up to `end` didn't come.
void BatchSimulation::skip(Walk& walk, std::size_t end) {
  for (; walk.next < end; ++walk.next) {
    const Dispatch& missing = walk.owed[walk.next];
    if (missing.plain) {
      ++walk.plain_missing;
    } else if (missing.key == 0) {
      ++walk.reliable_missing;
    } else {
      ++seen_.conflated;
      walk.newest.insert(missing.key);
    }
  }
}

std::string BatchSimulation::step_to_end(Walk& walk) {
  skip(walk, walk.owed.size());
  if (walk.plain_missing > 0 && !tight_) return "a plain message never came";
  const std::uint64_t missing = walk.reliable_missing + walk.newest.size();
  if (missing <= walk.told) return {};
  return std::to_string(walk.reliable_missing) +
         " reliable messages never came, and the newest of " + std::to_string(walk.newest.size()) +
         " keys; " + std::to_string(walk.told) + " were told";
}

}  // namespace ringroom::sim
