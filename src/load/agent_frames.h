// AgentFrames: the client's side of the Agents protocol, for load: calls and state updates that
// carry stamps, and what the agent answers. A call has its stamp as its id, which every agent gives
// back; a state has it in a field. One for each play, on its thread; keeps a parser and one frame.
#pragma once

#include "load/stamp.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace ringroom::load {

class AgentFrames {
 public:
  /// Calls `method`, with `arguments`, a JSON array. The stationery is one for text.
  AgentFrames(const Stationery& stationery, std::string_view method, std::string_view arguments);
  ~AgentFrames();
  AgentFrames(const AgentFrames&) = delete;
  AgentFrames& operator=(const AgentFrames&) = delete;

  /// Frames to send, valid until the next call.
  std::string_view call(const Stamp& stamp);
  std::string_view state(const Stamp& stamp);

  enum class Kind : std::uint8_t {
    answer,   // to a call: the last one, if the method streams
    state,    // somebody else's update
    refusal,  // of a call or a state; `text` says why
    other,    // identity, a state that nobody of us sent, a part of a stream
  };
  struct Frame {
    Kind kind = Kind::other;
    std::span<const std::byte> stamp{};  ///< of an answer or a state; borrowed until the next call
    std::string_view text{};
  };
  Frame read(std::span<const std::byte> message);

 private:
  struct Parser;
  void append_stamp(const Stamp& stamp);

  const Stationery& stationery_;
  std::string call_tail_;  // behind the id
  std::string made_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace ringroom::load
