#include "load/play.h"

#include "load/crowd.h"

namespace ringroom::load {

void Play::on_message(Client&, codec::ws::Opcode, std::span<const std::byte>, std::uint64_t) {
  ++crowd_.tally().foreign;
}

void Play::on_bytes(Client& client, std::span<std::byte> bytes, std::uint64_t now_ns) {
  crowd_.read(client, bytes, now_ns,
              [this, &client, now_ns](codec::ws::Opcode opcode, std::span<std::byte> message) {
                on_message(client, opcode, message, now_ns);
              });
}

}  // namespace ringroom::load
