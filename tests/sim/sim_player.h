// SimPlayer: one client of a simulation: a way of behaving, what it sent, and what must have come
// of it. Owned by the simulation; one thread.
#pragma once

#include "base/random.h"
#include "sim_agents.h"
#include "sim_websocket.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::sim {

/// How a player leaves.
enum class Ending : std::uint8_t {
  close,          // the close handshake
  close_and_fin,  // its close frame, and FIN at once behind it
  fin,            // FIN without a close frame
  kick,           // asks the agent to close it
  garbage,        // breaks the protocol
  reset,          // RST somewhere in the middle
  vanish,         // close(2) somewhere in the middle
  stay,           // never: the server stops first
};

struct Behaviour {
  std::string room_class;  // "sim-echo"
  std::string room;
  Ending ending = Ending::close;
  std::size_t messages = 0;
  std::size_t payload_bytes_max = 0;
  std::size_t bytes_per_step = SIZE_MAX;  // what it writes at once
  double read_probability = 1;            // that it reads in a step
  double send_probability = 0.5;          // that it sends one more message in a step
  bool eager = false;                     // doesn't wait for the 101
  bool stays_till_told = false;           // its ending waits for may_end()
  bool may_be_given_up = false;           // its outbox is small enough for that
};

class SimPlayer {
 public:
  SimPlayer(std::string id, const Behaviour& behaviour, SimClient client, std::uint64_t seed);

  const std::string& id() const { return id_; }
  const Behaviour& behaviour() const { return behaviour_; }
  SimWebSocket& socket() { return socket_; }
  const SimWebSocket& socket() const { return socket_; }

  void step();
  /// Reads and writes at once whatever there is.
  void hurry() { hurried_ = true; }
  void may_end() { told_ = true; }
  bool has_sent_all() const { return sent_ == behaviour_.messages; }
  /// Nothing more will happen to it.
  bool is_over() const { return socket_.is_over(); }
  std::size_t sent() const { return sent_; }

  /// What message `number` of the player with that id is.
  static std::string payload(std::string_view id, std::size_t number, std::size_t bytes_max);
  std::string payload(std::size_t number) const {
    return payload(id_, number, behaviour_.payload_bytes_max);
  }

  /// Id, ending and room, for failures.
  std::string name() const;
  /// All that it sent was also delivered, if the server kept its promises.
  bool must_be_delivered() const;
  /// What is wrong with the end of this connection as its client saw it; empty if nothing.
  std::string check(const Journal::Entry& journal) const;

 private:
  void send_message();
  void end();
  std::string check_socket() const;
  std::string check_end(const Journal::Entry& journal) const;
  bool chance(double probability);

  std::string id_;
  Behaviour behaviour_;
  base::Random random_;
  SimWebSocket socket_;
  std::size_t sent_ = 0;
  std::size_t break_at_;  // the message before which it resets or vanishes
  bool ended_ = false;
  bool fin_due_ = false;
  bool hurried_ = false;
  bool told_ = false;
};

}  // namespace ringroom::sim
