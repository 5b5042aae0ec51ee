#include "load/replay.h"

#include <algorithm>

namespace ringroom::load {

namespace {

// Lines that are overdue leave in portions, so that answers are read in between.
constexpr unsigned burst_max = 64;
// After the end nothing has come for so long.
constexpr std::uint64_t quiet_ns = 200'000'000;

}  // namespace

void Replay::on_message(Client&,
                        codec::ws::Opcode,
                        std::span<const std::byte> message,
                        std::uint64_t now_ns) {
  ++crowd_.tally().received;
  crowd_.tally().received_bytes += message.size();
  heard_ns_ = now_ns;
}

std::uint64_t Replay::due_ns(const Script::Line& line) const {
  return recorder_.times.begin_ns +
         static_cast<std::uint64_t>(static_cast<double>(line.at_ns) / speed_);
}

bool Replay::is_behind() const {
  return next_ < script_.lines.size() && due_ns(script_.lines[next_]) <= recorder_.times.end_ns;
}

std::uint64_t Replay::on_time(std::uint64_t now_ns) {
  const std::uint64_t end_ns = recorder_.times.end_ns;
  for (unsigned burst = 0; burst < burst_max && next_ < script_.lines.size(); ++burst) {
    const std::uint64_t due = due_ns(script_.lines[next_]);
    if (due > std::min(now_ns, end_ns)) break;
    recorder_.lag_max_ns = std::max(recorder_.lag_max_ns, now_ns - due);
    send(script_.lines[next_++]);
  }
  if (is_behind()) return due_ns(script_.lines[next_]);
  if (now_ns < end_ns) return end_ns;
  is_quiet_ = now_ns >= std::max(heard_ns_, end_ns) + quiet_ns;
  return std::max(heard_ns_, end_ns) + quiet_ns;
}

// In every copy of the room.
void Replay::send(const Script::Line& line) {
  const std::span<const std::byte> message = script_.message(line);
  const auto opcode = line.is_text ? codec::ws::Opcode::text : codec::ws::Opcode::binary;
  for (std::uint32_t slot = line.member; slot < crowd_.size(); slot += script_.members) {
    Client& client = crowd_.client(slot);
    if (client.state != Client::State::open) continue;
    if (!crowd_.send(client, opcode, message)) {
      crowd_.note(Fault::backlogged, "1 MiB waits for the server to read");
      continue;
    }
    ++crowd_.tally().sent;
    crowd_.tally().sent_bytes += message.size();
  }
}

}  // namespace ringroom::load
