#!/usr/bin/env python3
"""Where the CPU time of a server goes, as a table and a picture: profile.svg in --out.

    bench/profile.py                      build/ringroom, and whichever of uws and bare is there
    bench/profile.py --scenarios relay --seconds 8

The servers and their paths are those of tools/compare (UWS_SERVER names a uWebSockets server), the
server on core 0, 'ringroom load' on core 1. Samples are perf's (Debian: linux-perf), of the server
alone; each belongs to what stands highest in this list and in its stack:

    loopback   what a send does in its receiver's name, until the receiver has it
    waking     a part of that: waking the receiver
    sending    the rest of a send: TCP, IP, copying
    receiving  reading from sockets
    waiting    the rest of the kernel: io_uring or epoll, being woken, interrupts
    own code   outside of the kernel

The bars are CPU per message, sent or received, as 'ringroom load' measures it, divided in the shares
of the samples. Needs the right to look into the kernel: root, or kernel.perf_event_paranoid of 1 and
kernel.kptr_restrict of 0.
"""
import argparse
import collections
import importlib.machinery
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# name: (what it is, path, arguments of ringroom load)
SCENARIOS = {
    "tick": ("state 20 times a second, 3,500 players", "tick",
             "--scenario game --game tick --rooms 350 --first 350"),
    "relay": ("each input to the others, 1,500 players", "room",
              "--scenario game --game relay --rooms 150 --first 150"),
    "echo16": ("echo, 100 connections, 16 in flight", "echo", "--connections 100 --in-flight 16"),
    "echo1": ("echo, 1 connection", "echo", "--connections 1"),
}
PEERS = ["ringroom", "uws", "bare"]
# Kernel functions that tell what a sample belongs to.
PARTS = [
    ("waking", {"sock_def_readable"}),
    ("loopback", {"net_rx_action"}),
    ("sending", {"tcp_sendmsg", "sock_sendmsg", "io_send", "io_sendmsg"}),
    ("receiving", {"tcp_recvmsg", "sock_recvmsg", "io_recv"}),
]
SENDING = PARTS[2][1]
COLOURS = {"loopback": "#c2791a", "waking": "#a87f10", "sending": "#db61a2", "receiving": "#8e71e6",
           "waiting": "#8b949e", "own code": "#2f81f7"}
KERNEL = 1 << 63


def compare_tool():
    loader = importlib.machinery.SourceFileLoader("compare", str(ROOT / "tools" / "compare"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def part_of(stack):
    """stack: (address, function), the innermost first."""
    if stack[0][0] < KERNEL:
        return "own code"
    functions = {function for _, function in stack}
    for part, signs in PARTS:
        in_a_send = part not in ("waking", "loopback") or functions & SENDING
        if in_a_send and functions & signs:
            return part
    return "waiting"


def read_samples(data):
    """Counts samples by part, from 'perf script': one line a function, an empty one behind each."""
    text = subprocess.run(["perf", "script", "-i", data, "-F", "ip,sym"], capture_output=True, text=True,
                          check=True).stdout
    counts = collections.Counter()
    for block in text.split("\n\n"):
        lines = [line.split(None, 1) for line in block.splitlines() if line.strip()]
        if lines:
            counts[part_of([(int(line[0], 16), line[1] if len(line) > 1 else "") for line in lines])] += 1
    return counts


def profile(peer, scenario, options, data):
    _, path, arguments = SCENARIOS[scenario]
    peer.start(0)
    try:
        seconds = options.seconds
        # A step of a game takes a third of its time to connect.
        length = (["--step-duration", f"{2 * seconds}s"] if "game" in arguments else
                  ["--duration", f"{seconds + 1}s", "--warm-up", "500ms"])
        load = subprocess.Popen(
            ["taskset", "-c", "1", options.binary, "load",
             f"{peer.scheme}://127.0.0.1:{peer.port}{peer.paths[path]}", "--quiet", "--json", "-",
             "--server-pid", str(peer.process.pid), *length, *arguments.split()],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.7 * seconds if "game" in arguments else 1)
        perf = subprocess.run(["perf", "record", "-q", "-g", "-F", "2000", "-p", str(peer.process.pid),
                               "-o", data, "--", "sleep", str(seconds - 1)], capture_output=True,
                              text=True)
        out, error = load.communicate(timeout=60)
    finally:
        peer.stop()
    if perf.returncode != 0:
        sys.exit(f"bench/profile.py: perf: {perf.stderr.strip()}")
    try:
        microseconds = json.loads(out)["server"]["cpu_us_per_message"]
    except (ValueError, KeyError, TypeError):
        sys.exit(f"bench/profile.py: {peer.name}, {scenario}: {error.strip()}")
    counts = read_samples(data)
    total = sum(counts.values())
    return {"us": microseconds, "parts": {part: counts[part] / total for part in COLOURS}}


def svg(rows, names):
    """rows: [(what, [(peer, profile)])]."""
    left, width, bar = 190, 820, 14
    parts, y = [], 40
    for index, (name, colour) in enumerate(COLOURS.items()):
        x = 4 + index * 136
        parts.append(f'<rect x="{x}" y="8" width="10" height="10" fill="{colour}"/>'
                     f'<text x="{x + 14}" y="17">{name}</text>')
    for what, profiles in rows:
        parts.append(f'<text x="4" y="{y}" font-weight="bold">{what}</text>')
        y += 6
        scale = (width - left - 60) / max(found["us"] for _, found in profiles)
        for peer, found in profiles:
            x = float(left)
            parts.append(f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{names[peer]}</text>')
            for part, colour in COLOURS.items():
                length = found["us"] * found["parts"][part] * scale
                parts.append(f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{bar}" '
                             f'fill="{colour}"><title>{part}: {found["parts"][part]:.0%}</title></rect>')
                if length > 30:
                    parts.append(f'<text x="{x + length / 2:.1f}" y="{y + 11}" text-anchor="middle" '
                                 f'class="on">{found["parts"][part]:.0%}</text>')
                x += length
            parts.append(f'<text x="{x + 5:.1f}" y="{y + 11}">{found["us"]:.3g} µs</text>')
            y += bar + 3
        y += 22
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y - 16}" '
            'font-family="sans-serif" font-size="11"><style>text{fill:#1f2328}.on{fill:#fff}'
            '@media(prefers-color-scheme:dark){text{fill:#e6edf3}}</style>' + "".join(parts) + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build" / "ringroom")
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="default: %(default)s")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."), help="default: here")
    parser.add_argument("--seconds", type=int, default=6, help="of each run (default %(default)s)")
    options = parser.parse_args()
    if shutil.which("perf") is None:
        sys.exit("bench/profile.py: needs perf (Debian: apt install linux-perf).")
    unknown = set(options.scenarios.split(",")) - set(SCENARIOS)
    if unknown:
        sys.exit(f"bench/profile.py: no scenario {', '.join(unknown)}. Known are: {', '.join(SCENARIOS)}.")
    tool = compare_tool()
    peers = tool.known_peers(options.binary.resolve())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for scenario in options.scenarios.split(","):
            what = SCENARIOS[scenario][0]
            found = [(name, profile(peers[name], scenario, options, f"{folder}/perf.data"))
                     for name in PEERS if name in peers]
            rows.append((what, found))
            for name, of in found:
                shares = ", ".join(f"{part} {share:.0%}" for part, share in of["parts"].items())
                print(f"{scenario:7} {tool.NAMES[name]:18} {of['us']:.3g} us a message: {shares}", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "profile.svg").write_text(svg(rows, tool.NAMES), encoding="utf-8")
    print(f"wrote {options.out / 'profile.svg'}")


if __name__ == "__main__":
    main()
