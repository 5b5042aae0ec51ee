// FarServer: the other end of connections that a ring makes in a simulated world: a WebSocket
// server that echoes or relays, as late as it is told to, and breaks whatever a test wants broken.
// Lives as long as its world; one thread.
#pragma once

#include "codec/ws/decoder.h"
#include "sim_world.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::sim {

class FarServer {
 public:
  /// What becomes of one message: nothing, one delivery, or more, each so much later and with such
  /// bytes.
  struct Delivery {
    std::uint64_t delay_ns = 0;
    std::vector<std::byte> bytes;
  };
  using Habit =
      std::function<std::vector<Delivery>(std::span<const std::byte>, std::uint64_t number)>;

  explicit FarServer(SimWorld& world);
  FarServer(const FarServer&) = delete;
  FarServer& operator=(const FarServer&) = delete;

  /// Messages go to all others instead of back.
  void relay() { relays_ = true; }
  void set_habit(Habit habit) { habit_ = std::move(habit); }
  void refuse_connections() { refuses_ = true; }
  /// What it says to an upgrade instead of a 101; "" for nothing at all.
  void set_answer(std::string answer) {
    answers_ = true;
    answer_ = std::move(answer);
  }
  /// From this message on it reads, but says nothing; or closes with 1001.
  void close_at(std::uint64_t number) { close_at_ = number; }

  std::uint64_t messages() const { return messages_; }
  std::size_t connections() const { return guests_.size(); }
  std::uint64_t pings() const { return pings_; }

 private:
  struct Guest {
    SimClient end;
    std::string head;
    bool open = false;
    bool gone = false;
    codec::ws::Decoder decoder;
  };

  void read_all();
  void read(Guest& guest);
  void upgrade(Guest& guest);
  void take(Guest& guest, const codec::ws::Event& event);
  void message(Guest& from, const codec::ws::Event& event);
  static void write(Guest& to, codec::ws::Opcode opcode, std::span<const std::byte> bytes);

  SimWorld& world_;
  std::vector<std::shared_ptr<Guest>> guests_;  // shared with what is on its way to them
  Habit habit_;
  bool relays_ = false;
  bool refuses_ = false;
  bool answers_ = false;
  std::string answer_;
  std::uint64_t close_at_ = UINT64_MAX;
  std::uint64_t messages_ = 0;
  std::uint64_t pings_ = 0;
};

}  // namespace ringroom::sim
