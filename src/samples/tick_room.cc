// TickRoom: a game without rules, for load: keeps each member's last binary message of at most 64
// bytes, and 20 times a second sends all of them to everybody in one frame, each as u32 member
// number, u16 length, bytes, little endian. Other messages are ignored.
#include <ringroom/ringroom.h>

#include <array>
#include <cstring>
#include <vector>

using namespace ringroom;

class TickRoom final : public Agent {
 public:
  using Agent::Agent;
  static constexpr AgentOptions options{.protocol_frames = false, .tick_hz = 20, .gather_ms = 50};

  void on_connect(Connection& member, const ConnectionContext&) override {
    member.local<Said>() = {.member = ++members_total_};
  }

  void on_message(Connection& from, Message message) override {
    Said& said = from.local<Said>();
    if (!message.is_binary() || message.size() == 0 || message.size() > said.bytes.size()) return;
    said.size = static_cast<std::uint16_t>(message.size());
    std::memcpy(said.bytes.data(), message.bytes().data(), message.size());
  }

  void on_tick(const Tick&) override {
    state_.clear();
    for (Connection& member : connections()) {
      const Said& said = member.local<Said>();
      if (said.size == 0) continue;
      append(said.member);
      append(said.size);
      state_.insert(state_.end(), said.bytes.begin(), said.bytes.begin() + said.size);
    }
    broadcast(std::span<const std::byte>(state_));
  }

  Deferred<Response> on_request(const Request&) override {
    return Response::text(426, "This room speaks WebSocket.").set_header("Upgrade", "websocket");
  }

 private:
  struct Said {
    std::uint32_t member = 0;
    std::uint16_t size = 0;  // 0: nothing yet
    std::array<std::byte, 64> bytes{};
  };

  template <typename Number>
  void append(Number number) {
    for (std::size_t i = 0; i < sizeof(number); ++i) {
      state_.push_back(static_cast<std::byte>(number >> (8 * i) & 0xffU));
    }
  }

  std::uint32_t members_total_ = 0;
  std::vector<std::byte> state_;  // keeps its memory from tick to tick
};
RINGROOM_AGENT(TickRoom)
