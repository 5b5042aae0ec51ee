// Exchange: the plays `echo` and `broadcast`: senders send stamped messages, closed loop or open,
// and every receiver checks what comes: whose, which, how late, how often, whether changed. One per
// thread, on it; rooms are whole, so a message's receivers are all here. 16 bytes for each receiver
// and sender of a room.
#pragma once

#include "base/random.h"
#include "load/crowd.h"
#include "load/plan.h"
#include "load/recorder.h"
#include "load/schedule.h"
#include "load/sequence.h"
#include "load/stamp.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace ringroom::load {

struct ExchangeOptions {
  std::uint32_t members = 1;    ///< of a room, which the crowd's clients fill one after the other
  std::uint32_t senders = 1;    ///< of them, the first ones
  bool includes_sender = true;  ///< what one sends comes back to it
  std::uint32_t in_flight = 1;  ///< of each sender, where rate is 0
  double rate = 0;              ///< messages a second of this crowd
  double phase = 0;             ///< of its schedule
  Sizes sizes{};
  std::uint64_t reply_timeout_ns = 5'000'000'000;
  /// Messages come as TickRoom sends them: the last of each member, in one frame.
  bool reads_ticks = false;
};

class Exchange final : public Play {
 public:
  Exchange(Crowd& crowd,
           const Stationery& stationery,
           const ExchangeOptions& options,
           Recorder& recorder);

  void begin() override;
  void on_open(Client& client, std::uint64_t now_ns) override;
  void on_message(Client& client,
                  codec::ws::Opcode opcode,
                  std::span<const std::byte> message,
                  std::uint64_t now_ns) override;
  void on_pong(Client& client, std::uint64_t now_ns) override;
  void on_gone(Client& client, std::uint64_t now_ns) override;
  std::uint64_t on_time(std::uint64_t now_ns) override;
  bool is_done() const override;

 private:
  // A message of a closed loop that has not reached everybody.
  struct Flight {
    std::uint32_t number = 0;
    std::uint32_t left = 0;  // deliveries; 0: none under way
    std::uint64_t sent_ns = 0;
  };

  void send(std::uint32_t slot, std::uint32_t flight, std::uint64_t intended_ns);
  bool check(const Client& client, const Stamp& stamp, std::uint32_t& sender);
  void on_state(const Client& client, std::span<const std::byte> state, std::uint64_t now_ns);
  void land(std::uint32_t sender, const Stamp& stamp, std::uint64_t now_ns);
  std::uint64_t send_due(std::uint64_t now_ns);
  void send_first(std::uint64_t now_ns);
  void look_for_lost(std::uint64_t now_ns);
  std::uint32_t pick_size();
  std::uint32_t sender_slot(std::uint64_t turn) const;
  Flight& flight_of(std::uint32_t slot, std::uint32_t flight) {
    return flights_[std::size_t{slot} * options_.in_flight + flight];
  }
  bool is_open_loop() const { return options_.rate > 0; }

  Crowd& crowd_;
  const Stationery& stationery_;
  ExchangeOptions options_;
  Recorder& recorder_;
  base::Random random_;
  std::vector<std::uint32_t> next_numbers_;  // of each slot
  std::vector<std::uint32_t> live_;          // open connections of each room
  std::vector<Sequence> sequences_;          // of each slot, for each sender of its room
  std::vector<Flight> flights_;
  std::optional<Schedule> schedule_;
  std::uint64_t senders_total_ = 0;
  std::uint64_t next_look_ns_ = UINT64_MAX;
};

}  // namespace ringroom::load
