#include "load/play.h"

#include "load/crowd.h"

namespace ringroom::load {

void Play::on_message(Client&, codec::ws::Opcode, std::span<const std::byte>, std::uint64_t) {
  ++crowd_.tally().foreign;
}

}  // namespace ringroom::load
