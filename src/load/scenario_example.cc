#include "load/scenario_file.h"

namespace ringroom::load {

const char* scenario_example() {
  return R"(# A scenario file of 'ringroom load':
#
#   ringroom load --scenario-file evening.toml --html evening.html
#
# A file that ends in .json has the same shape: {"url": "...", "phase": [...], "mix": [...]}.
# Keys are the flags of 'ringroom load --help', without the dashes. What stands on the command line
# counts more than what stands here.
url = "ws://127.0.0.1:8787/agents/echo/x"
connections = 1000       # in all; the shares below are of these
warm-up = "1s"           # at the first phase's level

# A phase or a part may be named in front of a metric.
expect = ["errors=0", "spike.p99<50ms", "chat.lost=0"]

# Phases, one after the other. 'rate' and 'connections' are numbers, or parts of what the rest of the
# file says, such as "50%"; a list of two goes evenly from the one to the other. What a phase doesn't
# say stays as it was at the end of the one before.
[[phase]]
name = "ramp"
duration = "5s"
rate = ["0%", "100%"]
connections = ["10%", "100%"]

[[phase]]
name = "hold"
duration = "10s"

[[phase]]
name = "spike"
duration = "2s"
rate = "300%"

[[phase]]
name = "after"
duration = "5s"
rate = "100%"

# What is done side by side, each part by threads of its own. A part has one of 'share' (percent of
# the connections), 'connections' and 'rooms'; 'path' if it is not the URL's; and any flag of
# scenario or load, of which those above are the defaults. Without a mix the settings above are all.
[[mix]]
name = "watchers"
scenario = "idle"
share = 80

[[mix]]
name = "players"
scenario = "echo"
share = 15
rate-each = 1            # messages a second of each connection; 'rate' is of all together
size = "64-1024"

[[mix]]
name = "chat"
scenario = "broadcast"
path = "/agents/relay/{room}"
share = 5
members = 10
rate = 50
)";
}

}  // namespace ringroom::load
