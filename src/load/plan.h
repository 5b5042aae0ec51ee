// Plan: what the user asked of `ringroom load`, checked. Filled in by the command line before
// anything runs, then read by all threads; nobody changes it.
#pragma once

#include "base/address.h"
#include "load/expectation.h"
#include "load/target.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace ringroom::load {

enum class Scenario : std::uint8_t { echo, broadcast, connect, idle, storm };

inline constexpr std::array<Scenario, 5> all_scenarios = {
    Scenario::echo, Scenario::broadcast, Scenario::connect, Scenario::idle, Scenario::storm};
const char* name_of(Scenario scenario);

/// Message sizes: one, or evenly spread between two.
struct Sizes {
  std::uint32_t least = 64;
  std::uint32_t most = 64;
};

struct Plan {
  Target target;
  Scenario scenario = Scenario::echo;

  std::uint32_t connections = 100;
  std::uint32_t rooms = 1;
  std::uint32_t members = 0;     ///< of each room, in broadcast; else 0
  std::uint32_t senders = 0;     ///< of each room's members; 0: all
  bool includes_sender = false;  ///< a broadcast comes back to its sender too
  bool cuts = false;             ///< connect: reset each connection instead of the close handshake

  std::uint32_t in_flight = 1;  ///< of each sender, where rate is 0
  double rate = 0;              ///< messages a second in all
  Sizes sizes{};
  bool text = false;
  std::uint64_t duration_ns = 10'000'000'000;
  std::uint64_t warm_up_ns = 1'000'000'000;
  std::uint64_t storm_every_ns = 3'000'000'000;
  bool spin = false;

  std::uint32_t connecting_max = 128;  ///< handshakes at the same time
  std::uint64_t handshake_timeout_ns = 10'000'000'000;
  std::uint64_t reply_timeout_ns = 5'000'000'000;

  std::uint32_t threads = 1;
  std::vector<SourceRange> sources;
  std::vector<int> server_pids;

  std::vector<Expectation> expectations;
  std::string json_file;
  std::string html_file;
  std::string label;
  bool quiet = false;

  /// How many connections a room has.
  std::uint32_t room_connections() const { return members == 0 ? 1 : members; }
  /// Whether a connection that the client ends is reset.
  bool resets() const { return cuts || scenario == Scenario::storm; }
};

}  // namespace ringroom::load
