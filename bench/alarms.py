#!/usr/bin/env python3
"""How late do the alarms of very many sleeping rooms ring?

    bench/alarms.py [--rooms 100000] [--within 60] [--shards 1] [--durability strict]

Sets an alarm in each of so many rooms, all due in the same minute, each room left by its only client
and asleep before; then waits and reads the server's histogram of how late they began. Starts
build/ringroom (--binary names another) on free ports. Ends with a line of JSON.
"""
import argparse
import base64
import json
import os
import random
import re
import select
import shutil
import socket
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hibernation import Server, frame  # noqa: E402

IN_FLIGHT = 200


def set_alarm(port, room, ms):
    """A client that says all it has to say at once, and leaves."""
    client = socket.socket()
    client.connect(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    client.sendall(
        f"GET /agents/lab/{room} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        + frame(1, json.dumps({"op": "alarm", "ms": ms}).encode()) + frame(8, b"\x03\xe8"))
    return client


def set_all(server, rooms, due):
    """Returns how many said that their alarm is set."""
    poll, open_now, heard, told = select.epoll(), {}, {}, 0
    for room in range(rooms):
        while len(open_now) >= IN_FLIGHT or (room == rooms - 1 and open_now):
            for file, _ in poll.poll():
                piece = open_now[file].recv(4096)
                heard[file] += piece
                if not piece:
                    told += heard.pop(file).count(b'{"ok":true}')
                    poll.unregister(file)
                    open_now.pop(file).close()
        client = set_alarm(server.port, f"alarm{room}", round((due[room] - time.time()) * 1000))
        open_now[client.fileno()], heard[client.fileno()] = client, b""
        poll.register(client, select.EPOLLIN)
    for client in open_now.values():
        while piece := client.recv(4096):
            heard[client.fileno()] += piece
        told += heard[client.fileno()].count(b'{"ok":true}')
    return told


def lateness(server):
    """The histogram: (bound in seconds, how many were at most so late), over all shards."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.admin}/metrics") as answer:
        text = answer.read().decode()
    bounds = {}
    for bound, count in re.findall(
            r'^ringroom_job_lateness_seconds_bucket\{[^}]*le="([^"]+)"[^}]*\} (\S+)$', text, re.M):
        bounds[float(bound)] = bounds.get(float(bound), 0) + int(float(count))
    return sorted(bounds.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rooms", type=int, default=100_000)
    parser.add_argument("--within", type=float, default=60)
    parser.add_argument("--setup", type=float, default=60, help="seconds until the first is due")
    parser.add_argument("--shards", default="1")
    parser.add_argument("--durability", default="strict")
    parser.add_argument("--binary", default="build/ringroom")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="ringroom-bench-")
    try:
        server = Server(options.binary, "--shards", options.shards, "--data",
                        os.path.join(folder, "data"), "--durability", options.durability,
                        "--hibernate-after", "1s")
        resident = server.resident()[0]
        first = time.time() + options.setup
        due = [first + random.random() * options.within for _ in range(options.rooms)]
        began = time.time()
        told = set_all(server, options.rooms, due)
        result = {"rooms": told, "set_in_s": round(time.time() - began, 1),
                  "bytes_each_asleep": None}
        if time.time() > first - 2:
            sys.exit(f"setting the alarms took {result['set_in_s']} s: give it more with --setup")
        time.sleep(max(first - 1 - time.time(), 0))
        result["bytes_each_asleep"] = round((server.resident()[0] - resident) / told)
        cpu = server.cpu_us()
        until = first + options.within + 60
        while (histogram := lateness(server))[-1][1] < told and time.time() < until:
            time.sleep(1)
        rung = histogram[-1][1]
        result |= {"rung": rung, "last_after_s": round(time.time() - first - options.within, 1),
                   "cpu_us_each": round((server.cpu_us() - cpu) / max(rung, 1), 1)}
        for name, share in (("p50", .5), ("p99", .99), ("p99.9", .999), ("max", 1)):
            bound = next((bound for bound, count in histogram if count >= rung * share), None)
            result[f"{name}_late_at_most_s"] = bound
        server.stop()
        print(json.dumps(result))
    finally:
        shutil.rmtree(folder)


main()
