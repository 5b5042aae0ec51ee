// Play: what a crowd does: the part of a scenario that runs in each thread. Called by its Crowd, on
// its thread, one call at a time; a call may send, open, close or drop any client. Its crowd and
// its recorder outlive it.
#pragma once

#include "codec/ws/frame.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringroom::load {

class Crowd;
struct Client;
class Recorder;

/// When the run's parts begin, in CLOCK_MONOTONIC.
struct Times {
  std::uint64_t begin_ns = 0;    ///< of the warm-up
  std::uint64_t measure_ns = 0;  ///< of what counts
  std::uint64_t end_ns = 0;      ///< nothing new from here on
};

class Play {
 public:
  Play(Crowd& crowd, Recorder& recorder) : crowd_(crowd), recorder_(recorder) {}
  virtual ~Play() = default;
  Play(const Play&) = delete;
  Play& operator=(const Play&) = delete;

  /// All connections are open that the scenario opens beforehand, and the recorder has its times.
  /// From here on on_time is called.
  virtual void begin() {}
  virtual void on_open(Client& /*client*/, std::uint64_t /*now_ns*/) {}
  /// A whole message; the bytes are borrowed until the return. One that isn't waited for counts as
  /// foreign.
  virtual void on_message(Client& client,
                          codec::ws::Opcode opcode,
                          std::span<const std::byte> message,
                          std::uint64_t now_ns);
  /// What came from a client behind its handshake: each message goes to on_message.
  virtual void on_bytes(Client& client, std::span<std::byte> bytes, std::uint64_t now_ns);
  virtual void on_pong(Client& /*client*/, std::uint64_t /*now_ns*/) {}
  /// Its socket is gone, by the play's wish or not; it may be opened again.
  virtual void on_gone(Client& /*client*/, std::uint64_t /*now_ns*/) {}
  /// Only the first rooms of the crowd take part from here on; at the start, all do. Who is behind
  /// them sends nothing more.
  virtual void set_rooms(std::uint32_t /*rooms*/, std::uint64_t /*now_ns*/) {}
  /// Nothing is under way in this room.
  virtual bool is_quiet(std::uint32_t /*room*/) const { return true; }
  /// Does what is due; returns when it wants to be called again, UINT64_MAX for never.
  virtual std::uint64_t on_time(std::uint64_t now_ns) = 0;
  /// Something that should have left before the end hasn't yet: the measured time goes on.
  virtual bool is_behind() const { return false; }
  /// After the end: nothing is outstanding any more.
  virtual bool is_done() const = 0;

 protected:
  Crowd& crowd_;
  Recorder& recorder_;
};

}  // namespace ringroom::load
