// ringroom connect: a terminal client for one WebSocket, for people and for scripts. One thread,
// the process's own; what is read is bounded by message_bytes_max.
#pragma once

namespace ringroom::connect {

/// Runs the subcommand; `argv[0]` is its name. Returns the process's exit code: 0 when it ended as
/// asked or the server closed with 1000, 1 for wrong arguments or no connection, 2 when the server
/// closed with another code, 3 when the connection broke.
int run(int argc, char** argv);

}  // namespace ringroom::connect
