// Tally: what one thread of the load counts, and what went wrong by kind. Plain numbers of that
// thread; copies go to the main thread. Bounded: one text is kept for each kind of fault.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ringroom::load {

/// What can go wrong with a connection or a message.
enum class Fault : std::uint8_t {
  connect,            // no TCP connection: refused, no port left, unreachable
  handshake,          // the answer to the upgrade was not a 101 that fits
  handshake_timeout,  // there was none in time
  closed,             // the server closed, or the connection broke
  protocol,           // the server broke RFC 6455
  unanswered,         // a message or ping was not answered in time
  backlogged,         // our own buffer was full, as the server doesn't read: not sent
  refused,            // an agent refused a call or a state
};
inline constexpr std::size_t fault_kinds = 8;

/// As results name them.
inline constexpr std::array<std::string_view, fault_kinds> fault_names = {
    "connect",  "handshake",  "handshake_timeout", "closed",
    "protocol", "unanswered", "backlogged",        "refused"};
/// As people read them.
inline constexpr std::array<std::string_view, fault_kinds> fault_texts = {
    "could not connect",
    "handshake refused",
    "handshake not answered in time",
    "connection closed by the server",
    "protocol broken by the server",
    "not answered in time",
    "not sent, as the server doesn't read",
    "call or state refused by the agent"};

struct Tally {
  std::uint64_t handshakes = 0;  ///< answered by a 101
  std::uint64_t sent = 0;        ///< messages
  std::uint64_t sent_bytes = 0;  ///< of their payloads
  std::uint64_t received = 0;    ///< deliveries of ours, whole and valid, duplicates too
  std::uint64_t received_bytes = 0;
  std::uint64_t expected = 0;  ///< deliveries that all sent messages must make
  std::uint64_t arrived = 0;   ///< of these, each counted once
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t foreign = 0;  ///< messages that nobody of this run has sent
  std::uint64_t alive = 0;    ///< connections that answered a ping at the end
  std::uint64_t cycles = 0;   ///< connections opened and closed again, or storms survived
  std::array<std::uint64_t, fault_kinds> faults{};

  void add(Fault fault) { ++faults[static_cast<std::size_t>(fault)]; }
  std::uint64_t faults_total() const {
    std::uint64_t total = 0;
    for (const std::uint64_t count : faults) total += count;
    return total;
  }
  /// Seen to be wrong so far; what is lost is known at the end alone.
  std::uint64_t wrong() const { return faults_total() + duplicated + reordered + corrupted; }
  std::uint64_t lost() const { return expected > arrived ? expected - arrived : 0; }

  Tally& operator+=(const Tally& other);
  Tally operator-(const Tally& before) const;
};

/// What the first of each kind said.
using FaultExamples = std::array<std::string, fault_kinds>;

}  // namespace ringroom::load
