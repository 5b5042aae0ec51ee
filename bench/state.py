#!/usr/bin/env python3
"""What a room's state in its database costs: a change, calls, the first use after a sleep, memory.

    bench/state.py set    [--count 20000] [--durability process|strict]
    bench/state.py calls  [--count 100000]
    bench/state.py wake   [--rooms 1000]
    bench/state.py memory [--rooms 1000]

`set` is the server's CPU for a call that sets a state of 200 bytes, beside one that doesn't; `calls`
that of CounterAgent's increment beside an echo; `wake` how long a sleeping room takes that has to read
200 bytes of state, or has none; `memory` what an open database that nobody uses takes. Starts
build/ringroom (--binary names another) on free ports, pinned to CPU 0. Ends with a line of JSON.
"""
import argparse
import json
import os
import select
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hibernation import Client, Server, frame, percentiles  # noqa: E402

PAD = "x" * 190


def call(method, *args):
    return json.dumps({"args": args, "id": "1", "method": method, "type": "rpc"}).encode()


class Caller(Client):
    """Takes frames one by one, so that a call's answer is told from what comes before it."""

    def __init__(self, port, path):
        super().__init__(port, path)
        self.left = b""

    def message(self):
        while True:
            if len(self.left) > 1:
                size, head = self.left[1] & 127, 2
                if size == 126 and len(self.left) > 3:
                    size, head = int.from_bytes(self.left[2:4], "big"), 4
                if size < 126 or head == 4:
                    if len(self.left) >= head + size:
                        payload, self.left = self.left[head:head + size], self.left[head + size:]
                        return payload
            self.left += self.socket.recv(65536)

    def answer(self):
        while True:
            message = self.message()
            if b'"rpc"' in message:
                return message


def cpu_each(server, clients, request, count):
    """Server CPU in microseconds for a call, one in flight on each connection."""
    poll = select.epoll()
    by_file = {client.socket.fileno(): client for client in clients}
    for file in by_file:
        poll.register(file, select.EPOLLIN)
    data = frame(1, request)
    began, done = server.cpu_us(), 0
    for client in clients:
        client.socket.send(data)
    while done < count:
        for file, _ in poll.poll():
            client = by_file[file]
            client.left += client.socket.recv(65536)
            if b'"rpc"' in client.left or b"echo!" in client.left:
                client.left = b""
                client.socket.send(data)
                done += 1
    used = server.cpu_us() - began
    time.sleep(0.2)
    for client in clients:
        client.socket.setblocking(False)
        try:
            while client.socket.recv(65536):
                pass
        except BlockingIOError:
            client.socket.setblocking(True)
    return used / done


def set_state(options, folder):
    server = Server(options.binary, "--shards", "1", "--data", folder,
                    "--durability", options.durability, "--hibernate-after", "never")
    client = Caller(server.port, "/agents/doc-agent/one")
    without = [cpu_each(server, [client], call("perms"), options.count) for _ in range(3)]
    with_state = [cpu_each(server, [client], call("setText", PAD), options.count) for _ in range(3)]
    server.stop()
    return {"durability": options.durability, "call_us": round(min(without), 2),
            "call_that_sets_us": round(min(with_state), 2),
            "set_us": round(min(with_state) - min(without), 2)}


def calls(options, folder):
    server = Server(options.binary, "--shards", "1", "--data", folder, "--durability", "process",
                    "--hibernate-after", "never")
    result = {}
    for name, agent, request in (("echo", "echo", b"echo!" + b"x" * 60),
                                 ("counter", "counter-agent", call("increment"))):
        for rooms in ("one", "each"):
            clients = [Caller(server.port, f"/agents/{agent}/{name}{i if rooms == 'each' else ''}")
                       for i in range(100)]
            used = min(cpu_each(server, clients, request, options.count) for _ in range(3))
            result[f"{name}_{rooms}_us"] = round(used, 2)
            for client in clients:
                client.socket.close()
    server.stop()
    return result


def wake(options, folder):
    server = Server(options.binary, "--shards", "1", "--data", folder, "--hibernate-after", "500ms")
    result = {}
    for kind in ("with", "without"):
        clients = [Caller(server.port, f"/agents/io-t-agent/{kind}{i}") for i in range(options.rooms)]
        if kind == "with":
            for client in clients:
                state = {"state": {"temp": 1, "pad": PAD}, "type": "cf_agent_state"}
                client.send(1, json.dumps(state).encode())
        took = []
        for _ in range(3):
            server.wait_parked(len(clients))
            for client in clients:
                began = time.perf_counter()
                client.send(1, call("temp"))
                client.answer()
                took.append(time.perf_counter() - began)
                time.sleep(0.0002)
        result[f"{kind}_state_us"] = percentiles(took)
        for client in clients:
            client.socket.close()
    server.stop()
    return result


def memory(options, folder):
    server = Server(options.binary, "--shards", "1", "--data", folder, "--hibernate-after", "never")
    result = {"rooms": options.rooms}
    for kind in ("shut", "open"):
        clients = [Caller(server.port, f"/agents/doc-agent/{kind}{i}") for i in range(options.rooms)]
        before = server.resident()[0]
        for client in clients:
            client.send(1, call("setText", PAD) if kind == "open" else call("perms"))
            client.answer()
        result[f"bytes_each_{kind}"] = round((server.resident()[0] - before) / options.rooms)
    server.stop()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["set", "calls", "wake", "memory"])
    parser.add_argument("--binary", default="build/ringroom")
    parser.add_argument("--rooms", type=int, default=1000)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--durability", default="process")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="ringroom-bench-")
    try:
        measures = {"set": set_state, "calls": calls, "wake": wake, "memory": memory}
        print(json.dumps(measures[options.what](options, os.path.join(folder, "data"))))
    finally:
        shutil.rmtree(folder)


main()
