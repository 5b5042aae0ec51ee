// Replay: the play of a recording: as many copies of a room as asked for, in each a connection for
// every recorded member, which sends what it sent then, at the same times or faster. What comes
// back is counted, as nobody can know what it should be. One per thread, on it.
#pragma once

#include "load/crowd.h"
#include "load/recorder.h"
#include "load/script.h"

#include <cstdint>

namespace ringroom::load {

class Replay final : public Play {
 public:
  /// The crowd's clients are the members of one copy after the other. `speed` 2 takes half the
  /// time. The script outlives the play.
  Replay(Crowd& crowd, Recorder& recorder, const Script& script, double speed)
      : Play(crowd, recorder), script_(script), speed_(speed) {}

  void on_message(Client& client,
                  codec::ws::Opcode opcode,
                  std::span<const std::byte> message,
                  std::uint64_t now_ns) override;
  std::uint64_t on_time(std::uint64_t now_ns) override;
  bool is_behind() const override;
  bool is_done() const override { return is_quiet_; }

 private:
  std::uint64_t due_ns(const Script::Line& line) const;
  void send(const Script::Line& line);

  const Script& script_;
  double speed_;
  std::size_t next_ = 0;  // of the script's lines
  std::uint64_t heard_ns_ = 0;
  bool is_quiet_ = false;
};

}  // namespace ringroom::load
