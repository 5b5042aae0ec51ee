// The frames of the Agents protocol that a client sends: state updates and calls. One reader per
// shard, on its thread. It keeps a parser, whose memory is bounded by the largest message and given
// back after a large one.
#pragma once

#include "ringroom/json.h"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ringroom::codec::agents {

/// {"type":"cf_agent_state","state":…}: replaces the whole state.
struct StateUpdate {
  json state;
};

/// {"type":"rpc","id":…,"method":…,"args":[…]}
struct Call {
  std::string id;
  std::string method;
  std::vector<json> args;
};

/// monostate: not a frame of the protocol, so the application's. That includes all that is
/// malformed: no JSON, a key missing or of another type.
using ClientFrame = std::variant<std::monostate, StateUpdate, Call>;

/// Whether a text can be a client's frame at all: one look at its first character and one
/// vectorised search for its type's name. Clients put `type` last, so the whole text is searched.
/// A type spelled with escapes (\u0072pc) isn't recognised.
bool may_be_client_frame(std::string_view text);

class ClientFrameReader {
 public:
  ClientFrameReader();
  ~ClientFrameReader();
  ClientFrameReader(const ClientFrameReader&) = delete;
  ClientFrameReader& operator=(const ClientFrameReader&) = delete;

  /// Reads one text message. What comes back owns its memory.
  ClientFrame read(std::string_view text);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace ringroom::codec::agents
