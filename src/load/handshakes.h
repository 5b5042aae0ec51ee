// Handshakes: the play `connect`: every connection is opened, upgraded, closed and opened again, as
// fast as the server goes. Latency is that of the handshake, from the TCP connect to the 101. One
// per thread, on it.
#pragma once

#include "load/crowd.h"
#include "load/recorder.h"

#include <cstdint>
#include <vector>

namespace ringroom::load {

class Handshakes final : public Play {
 public:
  /// `cuts`: connections are reset after the 101, without a close handshake.
  Handshakes(Crowd& crowd, Recorder& recorder, bool cuts);

  void begin() override;
  void on_open(Client& client, std::uint64_t now_ns) override;
  void on_gone(Client& client, std::uint64_t now_ns) override;
  std::uint64_t on_time(std::uint64_t now_ns) override;
  bool is_done() const override;

 private:
  bool cuts_;
  std::vector<bool> upgraded_;         // of each slot: this time it came so far
  std::vector<std::uint32_t> failed_;  // to be tried again, a little later
  std::uint64_t retry_ns_ = UINT64_MAX;
  std::size_t under_way_ = 0;
};

}  // namespace ringroom::load
