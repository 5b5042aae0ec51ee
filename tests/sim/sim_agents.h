// The agents of simulations, and the Journal in which they write down what happens to them. One
// Journal at a time, made by a test; one thread.
#pragma once

#include "ringroom/agent.h"
#include "ringroom/agent_class.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::sim {

/// What agents saw, by connection id.
class Journal {
 public:
  struct Entry {
    int connects = 0;
    int closes = 0;
    std::size_t messages = 0;
    std::uint16_t close_code = 0;
    bool was_clean = false;
  };

  Journal();
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  static Journal& current();

  void connected(const Connection& connection);
  void received(const Connection& connection);
  void closed(const Connection& connection, CloseCode code, bool was_clean);
  void agent_made() { ++agents_alive_; }
  void agent_gone() { --agents_alive_; }

  const Entry& of(const std::string& id) { return entries_[id]; }
  const std::map<std::string, Entry>& entries() const { return entries_; }
  int agents_alive() const { return agents_alive_; }
  /// What must never happen: a message of a connection that isn't there, and so on.
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  std::map<std::string, Entry> entries_;
  std::vector<std::string> faults_;
  int agents_alive_ = 0;
};

/// What a client sends to be closed by the agent with 4001.
inline constexpr std::string_view kick_me = "kick me";

/// Writes the Journal; the base of all of them. Answers requests by their query, now or later.
class JournalingAgent : public Agent {
 public:
  explicit JournalingAgent(AgentContext& context);
  ~JournalingAgent() override;
  void on_connect(Connection& connection, const ConnectionContext& context) override;
  void on_message(Connection& connection, Message message) override;
  void on_close(Connection& connection,
                CloseCode code,
                std::string_view reason,
                bool was_clean) override;
  using Agent::on_error;
  void on_error(Connection&, const Error&) override {}
  Deferred<Response> on_request(const Request& request) override;

 protected:
  virtual void handle(Connection& connection, Message message) = 0;
};

/// Every message back.
class SimEcho final : public JournalingAgent {
 public:
  using JournalingAgent::JournalingAgent;
  static constexpr AgentOptions options{.protocol_frames = false};

 protected:
  void handle(Connection& connection, Message message) override;
};

/// Every message to the other members, by broadcast or one by one.
class SimRelay : public JournalingAgent {
 public:
  using JournalingAgent::JournalingAgent;
  static constexpr AgentOptions options{.protocol_frames = false};

 protected:
  void handle(Connection& connection, Message message) override;
};

/// A relay that ticks: "tick <number>" to everybody, 200 times a second.
class SimTicker final : public SimRelay {
 public:
  using SimRelay::SimRelay;
  static constexpr AgentOptions options{.protocol_frames = false, .tick_hz = 200};
  void on_tick(const Tick& tick) override;
};

std::vector<detail::AgentClassInfo> simulated_classes();

}  // namespace ringroom::sim
