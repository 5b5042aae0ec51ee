// What a class of agents declares about itself once: `static constexpr AgentOptions options{…}`.
// Constants: any thread.
#pragma once

#include "ringroom/batch.h"

#include <cstdint>
#include <string_view>

namespace ringroom {

/// What happens to a frame for a connection whose outbox is full (at --outbox-bytes-max) because
/// its client reads too slowly. A client that fills its own outbox isn't read from until it drains.
enum class OutboxFull : std::uint8_t {
  close,        ///< close the connection with 1013; the default
  drop_newest,  ///< drop the frame; send() answers SendResult::dropped
  drop_oldest,  ///< drop whole waiting frames until it fits
};

/// What happens when a client connects with the id (`_pk`) of a connection that is still open, such
/// as one that reconnects while its old socket hangs.
enum class DuplicateIds : std::uint8_t {
  keep,     ///< both stay, as in the Agents SDK; connection(id) is the newest. The default
  replace,  ///< the old one is closed with 4009 before on_connect of the new one; its client, if it
            ///< lives, doesn't come back. Costs a walk over the room for each connect
};

/// Envelopes: many logical messages in one frame (proto/README.md).
struct Batching {
  /// For connections that negotiate nothing; those that do get what they asked for.
  BatchFormat format = BatchFormat::none;
  /// What is queued leaves so long after its first message, or as soon as it is so many messages or
  /// bytes, whichever comes first.
  std::uint32_t flush_after_ms = 50;
  std::uint32_t messages_max = 100;
  std::uint32_t bytes_max = 16 * 1024;
};

struct AgentOptions {
  /// The agent may be destroyed while it is idle; its connections stay. With false only one that
  /// nobody is connected to is.
  bool hibernate = true;
  /// Connections get the frames of the Agents protocol (identity, state, MCP servers).
  bool protocol_frames = true;
  /// The first of them, which tells a client the room's name and class.
  bool send_identity_on_connect = true;
  /// on_tick so many times a second while somebody is connected; 0: never. At most 1,000. The first
  /// comes up to 2 ms later, in a millisecond in which other rooms of the shard tick as well.
  double tick_hz = 0;
  OutboxFull outbox_full = OutboxFull::close;
  /// permessage-deflate (RFC 7692) is accepted when a client offers it.
  bool compression = false;
  /// CORS headers on answers to plain requests, and OPTIONS answered for the agent.
  bool cors = false;
  DuplicateIds duplicate_ids = DuplicateIds::keep;
  /// Of queue() and broadcast_queued(), and for connections that ask for envelopes.
  Batching batching = {};
  /// What comes in envelopes, or to a class with tick_hz, may wait so long for more of it, and all
  /// is handled at once, for fewer wake-ups of the server; only on a shard where everybody who is
  /// connected agrees to it by this option and has envelopes, or ticks. A tick waits for nothing
  /// and sees all that came before it. What is queued leaves no later for it (flush_after_ms counts
  /// from when the cause may have come); what is answered at once does, and so does a new
  /// connection. 0: never. At most 1,000. Needs Linux 6.12; before that, nothing waits.
  std::uint32_t gather_ms = 0;
  /// What the class was called before: the rooms of that name are its own from the server's next
  /// start on. It may stay here, or go when they have moved.
  std::string_view renamed_from = {};
};

}  // namespace ringroom
