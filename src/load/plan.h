// Plan: what the user asked of `ringroom load`, checked. Filled in by the command line and a
// scenario file before anything runs, then read by all threads; nobody changes it.
#pragma once

#include <ringroom/batch.h>

#include "base/address.h"
#include "load/expectation.h"
#include "load/schedule.h"
#include "load/script.h"
#include "load/target.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ringroom::load {

enum class Scenario : std::uint8_t {
  echo,
  broadcast,
  connect,
  idle,
  storm,
  batch,
  device,
  agents,
  replay,
  game,
};

/// How a game's server answers inputs: with the state of the room, or by sending each on.
enum class GameForm : std::uint8_t { tick, relay };

inline constexpr std::array<Scenario, 10> all_scenarios = {
    Scenario::echo,  Scenario::broadcast, Scenario::connect, Scenario::idle,   Scenario::storm,
    Scenario::batch, Scenario::device,    Scenario::agents,  Scenario::replay, Scenario::game};
const char* name_of(Scenario scenario);

/// Message sizes: one, or evenly spread between two.
struct Sizes {
  std::uint32_t least = 64;
  std::uint32_t most = 64;
};

/// A part of the measured time with a load of its own. Levels are factors of what the plan says.
struct Phase {
  struct Level {
    double begin = 1;
    double end = 1;  ///< evenly from the one to the other
  };
  std::string name;
  std::uint64_t length_ns = 0;
  Level rate{};
  Level connections{};
};

struct Plan {
  Target target;
  std::string name;               ///< of a part of a mix
  std::uint32_t first_index = 0;  ///< of its connections, in the whole mix
  Scenario scenario = Scenario::echo;

  std::uint32_t connections = 100;
  std::uint32_t rooms = 1;
  std::uint32_t members = 0;     ///< of each room, where rooms are filled one by one; else 0
  std::uint32_t senders = 0;     ///< of each room's members; 0: all
  bool includes_sender = false;  ///< a broadcast comes back to its sender too
  GameForm game_form = GameForm::tick;
  double inputs_hz = 20;           ///< game: of each player
  std::uint32_t first_rooms = 0;   ///< game: rooms of the first step; 0: as many as it adds
  std::uint32_t step_rooms = 20;   ///< game: how many more rooms each step has
  std::uint32_t step_percent = 0;  ///< game: not 0: so much of what there is, in place of these
  std::uint64_t step_ns = 3'000'000'000;
  bool cuts = false;  ///< connect: reset each connection instead of the close handshake
  BatchFormat envelopes = BatchFormat::none;  ///< what messages travel in
  std::uint32_t batched = 0;                  ///< messages in each envelope that the client sends
  std::vector<std::byte> prefix;              ///< in front of every message, both ways
  std::vector<std::byte> hello;               ///< sent first by every connection
  std::uint64_t period_ns = 1'000'000'000;    ///< device: between two messages of each
  std::uint32_t jitter_percent = 10;          ///< device: of a period, how late one may be
  std::string method = "echo";                ///< agents: what is called
  std::string arguments = "[]";               ///< agents: with this, JSON
  std::shared_ptr<const Script> script{};     ///< replay: what is replayed
  std::uint32_t copies = 1;                   ///< replay: of the recorded room
  double speed = 1;                           ///< replay: how much faster than it was
  std::uint32_t states_percent = 10;          ///< agents: how many of 100 calls follow a state

  std::uint32_t in_flight = 1;  ///< of each sender, where rate is 0
  double rate = 0;              ///< messages a second in all
  double rate_each = 0;         ///< of each sender, where that is what was given; then rate follows
  Sizes sizes{};
  bool text = false;
  std::uint64_t duration_ns = 10'000'000'000;
  std::vector<Phase> phases;  ///< none: the same load all the time
  std::vector<Plan> mix;      ///< what is done side by side; none: this plan alone
  std::uint64_t warm_up_ns = 1'000'000'000;
  std::uint64_t storm_every_ns = 3'000'000'000;
  bool spin = false;

  std::uint32_t connecting_max = 128;  ///< handshakes at the same time
  std::uint64_t handshake_timeout_ns = 10'000'000'000;
  std::uint64_t reply_timeout_ns = 5'000'000'000;

  std::uint32_t threads = 0;  ///< 0: as many as the limit of open files asks for
  std::vector<SourceRange> sources;
  std::vector<int> server_pids;

  std::vector<Expectation> expectations;
  std::string json_file;
  std::string html_file;
  std::string label;
  bool quiet = false;

  /// What is done side by side, each by threads of its own.
  std::span<const Plan> parts() const {
    return mix.empty() ? std::span(this, 1) : std::span<const Plan>(mix);
  }
  const char* what() const { return mix.empty() ? name_of(scenario) : "mix"; }
  /// Members get what others of their room send.
  bool is_shared() const { return members != 0; }
  /// How many connections a room has.
  std::uint32_t room_connections() const { return members == 0 ? 1 : members; }
  /// Whether messages go to and fro, so that phases may set their rate and its connections.
  bool is_exchange() const {
    return scenario != Scenario::connect && scenario != Scenario::idle &&
           scenario != Scenario::storm && scenario != Scenario::replay;
  }
  /// Whether its connections come and go by the phases.
  bool follows_connections() const;
  bool follows_rate() const { return is_exchange() && rate > 0 && scenario != Scenario::device; }
  /// The part of the connections that is open when the traffic begins.
  double first_level() const {
    return follows_connections() ? phases.front().connections.begin : 1;
  }
  /// The phase that is on so long after the measured time began; none at its end.
  const Phase* phase_at(std::uint64_t after_ns) const;
  /// Of the connections, so long after the measured time began.
  double connections_level(std::uint64_t after_ns) const;
  /// How the rate goes from the warm-up on, for this part of the connections; nothing: evenly.
  std::vector<Stretch> stretches(double part) const;
  /// How many steps a game has, if the server carries them all.
  std::uint32_t steps() const;
  /// The rooms of the step behind one with so many; of 0, of the first.
  std::uint32_t rooms_after(std::uint32_t step_before) const;
  /// What the 99th percentile may be before a game's step counts as not carried. The state of a
  /// room comes once in a tick, and so do envelopes: an input may wait for a whole one.
  std::uint64_t game_p99_max_ns() const {
    constexpr std::uint64_t most = 50'000'000;
    return game_form == GameForm::relay && envelopes == BatchFormat::none ? most : most + tick_ns;
  }
  static constexpr std::uint64_t tick_ns = 50'000'000;  ///< of TickRoom: 20 Hz
  /// Whether all connections are open before the traffic begins.
  bool opens_beforehand() const {
    return scenario != Scenario::connect && scenario != Scenario::game && first_level() > 0;
  }
  /// Whether a connection that the client ends is reset.
  bool resets() const { return cuts || scenario == Scenario::storm; }
};

}  // namespace ringroom::load
