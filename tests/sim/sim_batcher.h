// SimBatcher: agents that queue, send, broadcast and flush as their clients' scripts say, and the
// Dispatches in which they write down what each connection is owed. One Dispatches at a time, made
// by a test; one thread.
#pragma once

#include "ringroom/agent.h"
#include "ringroom/agent_class.h"
#include "sim_agents.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::sim {

/// What a connection is owed, in the order in which its agent said it.
struct Dispatch {
  std::uint64_t value;  // every one has another
  char key;             // 0: reliable
  bool plain;           // not queued: a message by itself
};

class Dispatches {
 public:
  Dispatches();
  ~Dispatches();
  Dispatches(const Dispatches&) = delete;
  Dispatches& operator=(const Dispatches&) = delete;
  static Dispatches& current();

  /// The payload of a value, which begins with it; its size and kind follow from it.
  static std::string payload(std::uint64_t value);
  static PayloadKind kind(std::uint64_t value);

  std::uint64_t next_value() { return ++last_value_; }
  void owe(const Connection& to, const Dispatch& dispatch) {
    owed_[std::string(to.id())].push_back(dispatch);
  }
  void heard(const Connection& from, std::string_view script) {
    heard_[std::string(from.id())].emplace_back(script);
  }

  const std::vector<Dispatch>& owed(const std::string& id) { return owed_[id]; }
  /// The scripts of a client that came.
  const std::vector<std::string>& heard(const std::string& id) { return heard_[id]; }

 private:
  std::uint64_t last_value_ = 0;
  std::map<std::string, std::vector<Dispatch>> owed_;
  std::map<std::string, std::vector<std::string>> heard_;
};

/// Steps of a script, one character or two each: q queue, k<key> queue with a key, s send,
/// b broadcast_queued, c<key> the same with a key, p broadcast, f flush, F flush everybody's,
/// l<digit> limits of the connection, x close it.
class SimBatcher : public JournalingAgent {
 public:
  using JournalingAgent::JournalingAgent;
  static constexpr AgentOptions options{.protocol_frames = false};
  /// A script stands between these, whatever it is wrapped in.
  static constexpr char script_begins = '<';
  static constexpr char script_ends = '>';

 protected:
  void handle(Connection& from, Message message) override;

 private:
  void run(Connection& from, std::string_view script);
  void queue(Connection& to, char key);
  void queue_for_all(char key);
  void limit(Connection& connection, char digit);
};

class SimBatcherNewest final : public SimBatcher {
 public:
  using SimBatcher::SimBatcher;
  static constexpr AgentOptions options{
      .protocol_frames = false, .outbox_full = OutboxFull::drop_newest, .gather_ms = 5};
};

class SimBatcherOldest final : public SimBatcher {
 public:
  using SimBatcher::SimBatcher;
  static constexpr AgentOptions options{.protocol_frames = false,
                                        .outbox_full = OutboxFull::drop_oldest};
};

std::vector<detail::AgentClassInfo> batcher_classes();

}  // namespace ringroom::sim
