// Idle and Storm: plays whose connections say nothing. Idle holds them, then pings each to prove it
// alive; Storm cuts all of them at once, and all come back at once. One per thread, on it.
#pragma once

#include "load/crowd.h"
#include "load/recorder.h"

#include <cstdint>
#include <vector>

namespace ringroom::load {

class Idle final : public Play {
 public:
  using Play::Play;

  void on_pong(Client& client, std::uint64_t now_ns) override;
  void on_gone(Client& client, std::uint64_t now_ns) override;
  std::uint64_t on_time(std::uint64_t now_ns) override;
  bool is_done() const override;

 private:
  std::vector<bool> answered_;
  std::uint64_t pinged_ns_ = 0;
  std::uint64_t pings_ = 0;
  std::uint64_t pongs_ = 0;
};

class Storm final : public Play {
 public:
  /// A storm every `every_ns`, if the last one is over by then; the first at the measured time's
  /// begin. Latency counts from the storm to the 101.
  Storm(Crowd& crowd, Recorder& recorder, std::uint64_t every_ns)
      : Play(crowd, recorder), every_ns_(every_ns) {}

  void begin() override;
  void on_open(Client& client, std::uint64_t now_ns) override;
  void on_gone(Client& client, std::uint64_t now_ns) override;
  std::uint64_t on_time(std::uint64_t now_ns) override;
  bool is_done() const override { return missing_ == 0; }

 private:
  void strike(std::uint64_t now_ns);

  std::uint64_t every_ns_;
  std::uint64_t next_ns_ = 0;    // when the next storm is due
  std::uint64_t struck_ns_ = 0;  // when the last one was
  std::uint64_t retry_ns_ = UINT64_MAX;
  std::size_t leaving_ = 0;  // cut, their sockets not gone yet
  std::size_t missing_ = 0;  // cut and not back
  bool begun_ = false;
  std::vector<std::uint32_t> outside_;
};

}  // namespace ringroom::load
