// `ringroom record`: asks a running server, at its admin address, for what the members of a room
// send, and writes it down. One thread asks, the calling one waits for it and for signals.
#pragma once

namespace ringroom::connect {

/// Returns the exit code: 0 with a recording, 1 without.
int record(int argc, char** argv);

}  // namespace ringroom::connect
