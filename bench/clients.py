#!/usr/bin/env python3
"""The load client beside another one: what a frame costs it, and do both see the same latencies?

    bench/clients.py --beside PROGRAM                       against 'ringroom serve'
    bench/clients.py --beside PROGRAM --server 'uws PORT' --echo /echo --room '/room/{room}'
    bench/clients.py --figures cost --rounds 7

cost: echo of 64 bytes over 100 connections, 1 and 16 in flight: CPU of the client per frame, sent or
received. latency: both clients spin and send at a fixed rate, 20,000 echoes or 1,500 messages to rooms
of 10 a second.

PROGRAM takes --port, --path, --conns, --pipeline, --rate, --spin 1, --mode room with --rooms, --secs
and --warm, and prints one line of JSON with sent_s and recv_s (frames a second), cli_util (its CPU, of
1), p50 and p90 in microseconds, lost and errors.

The server is on core 0, the clients take turns on core 1, in many short rounds. What is printed is the
median of the ratios within the rounds, and the middle half of them: single rounds differ by a fifth.
"""
import argparse
import json
import pathlib
import socket
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# name: (figures, where, arguments of the other client, of ringroom load)
SCENARIOS = {
    "echo": ("cost", "echo", "--conns 100", "--connections 100"),
    "echo16": ("cost", "echo", "--conns 100 --pipeline 16", "--connections 100 --in-flight 16"),
    "echoes at a rate": ("latency", "echo", "--conns 100 --rate 20000 --spin 1",
                         "--connections 100 --rate 20000 --spin"),
    "rooms at a rate": ("latency", "room", "--mode room --conns 1000 --rooms 100 --rate 1500 --spin 1",
                        "--scenario broadcast --rooms 100 --members 10 --rate 1500 --spin"),
}
SHOWN = {"cost": ["cpu"], "latency": ["p50", "p90"]}


def start(command):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [part.replace("PORT", str(port)) for part in command]
    process = subprocess.Popen(["taskset", "-c", "0", *command], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        time.sleep(0.05)
    process.kill()
    raise SystemExit(f"bench/clients.py: does not start: {' '.join(command)}")


def read(command):
    done = subprocess.run(["taskset", "-c", "1", *command], capture_output=True, text=True, timeout=60)
    if not done.stdout.strip():
        raise SystemExit(f"bench/clients.py: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def other(options, port, path, arguments):
    out = json.loads(read([options.beside, "--port", str(port), "--path", path, "--secs",
                           str(options.seconds), "--warm", "0.3", *arguments.split()]).splitlines()[-1])
    return {"cpu": out["cli_util"] * 1e6 / (out["sent_s"] + out["recv_s"]), "p50": out["p50"],
            "p90": out["p90"], "wrong": out["lost"] + out["errors"]}


def ours(options, port, path, arguments):
    out = json.loads(read([str(options.binary), "load", f"ws://127.0.0.1:{port}{path}", "--duration",
                           f"{round(options.seconds * 1000)}ms", "--warm-up", "300ms", "--quiet",
                           "--json", "-", *arguments.split()]))
    return {"cpu": out["client"]["cpu_s"] * 1e6 / (out["sent"] + out["received"]),
            "p50": out["latency_us"]["p50"], "p90": out["latency_us"]["p90"], "wrong": out["errors"]}


def show(name, figure, rounds):
    ratios = [mine[figure] / theirs[figure] for theirs, mine in rounds]
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    theirs, mine = (statistics.median(run[side][figure] for run in rounds) for side in (0, 1))
    wrong = sum(run["wrong"] for pair in rounds for run in pair)
    print(f"{name:17} {figure}: {statistics.median(ratios):.3f} [{low:.3f}..{high:.3f}] of the other's; "
          f"medians {mine:.4g} and {theirs:.4g} us{f', {wrong} WRONG' if wrong else ''}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beside", required=True, help="the other client")
    parser.add_argument("--figures", choices=["cost", "latency"], help="default: both")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build" / "ringroom")
    parser.add_argument("--server", help="another server; PORT stands for its port")
    parser.add_argument("--echo", default="/agents/echo/x", help="its path of echoes")
    parser.add_argument("--room", default="/agents/relay/{room}", help="its path of rooms")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.5, help="measured, of each run")
    options = parser.parse_args()
    command = options.server.split() if options.server else [
        str(options.binary), "serve", "--listen", "127.0.0.1:PORT", "--shards", "1", "--admin", "off",
        "--data", ":memory:"]
    server, port = start(command)
    try:
        for name, (figures, where, theirs, mine) in SCENARIOS.items():
            if options.figures not in (None, figures):
                continue
            path = getattr(options, where)
            rounds = []
            for number in range(options.rounds):
                runs = [(other, theirs), (ours, mine)]
                done = {run: run(options, port, path, arguments)
                        for run, arguments in (runs if number % 2 else reversed(runs))}
                rounds.append((done[other], done[ours]))
            for figure in SHOWN[figures]:
                show(name, figure, rounds)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
