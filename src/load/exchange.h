// Exchange: the plays in which messages go to and fro, from `echo` to `game`: senders send stamped
// messages, closed loop or open, and every receiver checks what comes: whose, which, how late, how
// often, whether changed. One per thread, on it; rooms are whole, so a message's receivers are all
// here. 16 bytes for each receiver and sender of a room.
#pragma once

#include "base/random.h"
#include "load/agent_frames.h"
#include "load/calendar.h"
#include "load/crowd.h"
#include "load/envelopes.h"
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
  std::uint64_t grain_ns = 0;   ///< what is due within so much may leave together, at its end
  /// How the rate goes, if it isn't the same all the time.
  std::vector<Stretch> stretches = {};
  bool closes_rooms = false;    ///< before the end: it must be known what is under way in each
  std::uint64_t period_ns = 0;  ///< not 0: each sender by a period of its own, at the same rate
  double jitter = 0;            ///< of that period
  Sizes sizes{};
  std::uint64_t reply_timeout_ns = 5'000'000'000;
  /// Messages come as TickRoom sends them: the last of each member, in one frame.
  bool reads_ticks = false;
  std::span<const std::byte> prefix{};  ///< in front of every message that has a frame of its own
  std::span<const std::byte> hello{};   ///< sent first by every connection
  BatchFormat envelopes = BatchFormat::none;
  std::uint32_t batched = 1;  ///< messages that leave together, in an envelope
  /// Not empty: messages are calls of this method, whose answers come to the caller alone.
  std::string method = {};
  std::string arguments = {};
  std::uint32_t states_percent = 0;  ///< how many of 100 calls follow a state update
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
  void on_bytes(Client& client, std::span<std::byte> bytes, std::uint64_t now_ns) override;
  void on_gone(Client& client, std::uint64_t now_ns) override;
  void set_rooms(std::uint32_t rooms, std::uint64_t now_ns) override;
  bool is_quiet(std::uint32_t room) const override { return owed_.empty() || owed_[room] == 0; }
  std::uint64_t on_time(std::uint64_t now_ns) override;
  bool is_done() const override;

 private:
  // A client's place, for what would be a division for every message.
  struct Seat {
    std::uint32_t room = 0;
    std::uint32_t rank = 0;
    std::uint32_t next_number = 0;  // of its messages
  };
  struct Sender {
    std::uint32_t slot = 0;
    std::uint32_t rank = 0;  // in its room
  };
  // What left together in a closed loop and has not reached everybody.
  struct Flight {
    std::uint32_t number = 0;  // of the first message
    std::uint32_t left = 0;    // deliveries; 0: none under way
    std::uint64_t sent_ns = 0;
  };

  static constexpr std::uint32_t no_flight = UINT32_MAX;

  // ---- exchange.cc
  bool send_envelope(Client& client, std::uint32_t flight, std::uint64_t intended_ns);
  bool send_call(Client& client, std::uint32_t flight, std::uint64_t intended_ns);
  bool send_text(Client& client, std::string_view frame);
  template <typename Departures>
  std::uint64_t send_due(Departures& departures, std::uint32_t rooms, std::uint64_t now_ns);
  void send_first(std::uint32_t first_room, std::uint64_t now_ns);
  void look_for_lost(std::uint64_t now_ns);
  std::uint32_t sender_slot(std::uint64_t turn, std::uint32_t rooms) const;

  // ---- exchange_stamped.cc
  void send(std::uint32_t slot, std::uint32_t flight, std::uint64_t intended_ns);
  void take(std::uint32_t slot, std::span<const std::byte> message, std::uint64_t now_ns);
  void take_stamp(std::uint32_t slot, const Stamp& stamp, Sender sender, std::uint64_t now_ns);
  // The same inline; not wrapped: messages are their stamp and nothing else.
  template <bool is_wrapped>
  bool send_stamped(Client& client, const Stamp& stamp);
  template <bool is_wrapped>
  void send_now(std::uint32_t slot, std::uint32_t flight, std::uint64_t intended_ns, Flight* begun);
  template <bool is_wrapped>
  void take_now(std::uint32_t slot, std::span<const std::byte> message, std::uint64_t now_ns);
  template <bool is_wrapped>
  void count_taken(std::uint32_t slot, const Stamp& stamp, Sender sender, std::uint64_t now_ns);
  template <bool is_wrapped>
  void land(std::uint32_t sender, const Stamp& stamp, std::uint64_t now_ns);

  // ---- exchange_receive.cc
  void take_wrapped(std::uint32_t slot, std::span<const std::byte> message, std::uint64_t now_ns);
  void take_envelope(std::uint32_t slot, std::span<const std::byte> frame, std::uint64_t now_ns);
  void take_agent_frame(std::uint32_t slot, std::span<const std::byte> frame, std::uint64_t now_ns);
  void take_ticks(std::uint32_t slot, std::span<const std::byte> state, std::uint64_t now_ns);

  // Who in the room of this slot sent it. False: nobody who sends.
  [[gnu::always_inline]] bool find_sender(std::uint32_t slot,
                                          const Stamp& stamp,
                                          Sender& sender) const {
    const std::uint32_t room_begin = slot - seats_[slot].rank;
    sender.rank = stamp.sender - crowd_.client(room_begin).index;
    sender.slot = room_begin + sender.rank;
    return sender.rank < options_.senders;
  }
  [[gnu::always_inline]] std::uint32_t pick_size() {
    const Sizes& sizes = options_.sizes;
    if (sizes.least == sizes.most) [[likely]]
      return sizes.least;
    return sizes.least +
           static_cast<std::uint32_t>(random_.next() % (sizes.most - sizes.least + 1));
  }
  [[gnu::always_inline]] Stamp next_stamp(std::uint32_t slot,
                                          std::uint32_t flight,
                                          std::uint64_t intended_ns) {
    const std::uint32_t number = seats_[slot].next_number;
    return {crowd_.client(slot).index, number, flight, pick_size(), intended_ns};
  }
  [[gnu::always_inline]] std::uint32_t receivers_of(std::uint32_t slot) const {
    return agent_frames_ ? 1 : live_[room_of(slot)] - left_out_;
  }
  [[gnu::always_inline]] void count_sent(std::uint32_t slot,
                                         std::uint32_t bytes,
                                         std::uint32_t receivers) {
    Tally& tally = crowd_.tally();
    ++seats_[slot].next_number;
    ++tally.sent;
    tally.sent_bytes += bytes;
    // Of two inputs in one tick the state shows the later.
    if (!options_.reads_ticks) tally.expected += receivers;
    if (options_.closes_rooms) owed_[room_of(slot)] += receivers;
  }
  Flight& flight_of(std::uint32_t slot, std::uint32_t flight) {
    return flights_[std::size_t{slot} * options_.in_flight + flight];
  }
  bool is_open_loop() const { return options_.rate > 0; }
  std::uint32_t room_of(std::uint32_t slot) const { return seats_[slot].room; }
  std::uint32_t all_rooms() const { return static_cast<std::uint32_t>(live_.size()); }

  const Stationery& stationery_;
  ExchangeOptions options_;
  base::Random random_;
  std::vector<Seat> seats_;          // of each slot
  std::vector<std::uint32_t> live_;  // open connections of each room
  std::vector<std::uint32_t> owed_;  // deliveries under way in each, if rooms are closed
  std::vector<Sequence> sequences_;  // of each slot, for each sender of its room
  std::vector<Flight> flights_;
  std::vector<Stamp> stamps_;  // of one envelope
  std::optional<Envelopes> envelopes_;
  std::optional<AgentFrames> agent_frames_;
  std::optional<Schedule> schedule_;
  std::optional<Calendar> calendar_;
  codec::ws::Opcode opcode_;  // of messages with a frame of their own
  bool is_wrapped_;           // messages aren't their stamp and nothing else
  std::uint32_t left_out_;    // of a room's members by a message
  std::uint32_t rooms_;       // that take part, the first ones
  std::uint64_t room_stride_ = 1;
  std::uint64_t next_look_ns_ = UINT64_MAX;
};

}  // namespace ringroom::load
