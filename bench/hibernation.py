#!/usr/bin/env python3
"""What sleeping rooms cost: memory, waking, storms, pings, and turns of others beside many sleepers.

    bench/hibernation.py memory   [--connections 15000] [--rooms one|each] [--processes 1]
    bench/hibernation.py wake     [--rooms 2000]
    bench/hibernation.py storm    [--rooms 10000]
    bench/hibernation.py pings    [--count 1000000]
    bench/hibernation.py sleepers [--rooms 15000] [--processes 1]

Starts build/ringroom (--binary names another) on free ports of the loopback, pinned to CPU 0, and is
its client on the other CPUs. A process holds as many sockets as its descriptor limit allows, a shard
too: --processes says how many clients share the work. Needs Python 3 and nothing else. Ends with a
line of JSON.
"""
import argparse
import base64
import json
import multiprocessing
import os
import re
import resource
import select
import socket
import subprocess
import sys
import time
import urllib.request

MASK = b"\x12\x34\x56\x78"


def frame(opcode, payload):
    """A masked frame of at most 65,535 bytes."""
    size = len(payload)
    head = bytes([0x80 | opcode, 0x80 | size]) if size < 126 else (
        bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big"))
    key = (MASK * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
    return head + MASK + masked


class Client:
    def __init__(self, port, path, source="127.0.0.1"):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The port is chosen at connect, when the destination is known too: 28,000 for each source.
        self.socket.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            piece = self.socket.recv(4096)
            if not piece:
                raise ConnectionError(f"{path}: {head[:100]!r}")
            head += piece
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(f"{path}: {head[:100]!r}")

    def send(self, opcode, payload):
        self.socket.send(frame(opcode, payload))

    def ask(self, text):
        self.send(1, text.encode())
        return self.socket.recv(65536)


class Server:
    def __init__(self, binary, *args):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.process = subprocess.Popen(
            ["taskset", "-c", "0", binary, "serve", "--listen", "127.0.0.1:0", "--admin",
             "127.0.0.1:0", "--data", ":memory:", "--log-level", "error", *args],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://127.0.0.1:(\d+) .*admin http://127.0.0.1:(\d+)", line)
        if not found:
            sys.exit(f"the server didn't start: {line}")
        self.port, self.admin = int(found[1]), int(found[2])
        others = set(os.sched_getaffinity(0)) - {0}
        if others:
            os.sched_setaffinity(0, others)

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics") as answer:
            text = answer.read().decode()
        return sum(float(v) for v in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M))

    def wait_parked(self, count):
        until = time.monotonic() + 300
        while self.metric("ringroom_connections_parked") != count or self.metric("ringroom_agents_awake"):
            if time.monotonic() > until:
                sys.exit(f"only {self.metric('ringroom_connections_parked')} of {count} are parked")
            time.sleep(0.2)

    def resident(self):
        """Bytes: all, the heap, the slabs."""
        with open(f"/proc/{self.process.pid}/status") as status:
            text = status.read()
        return [int(re.search(rf"{name}:\s+(\d+)", text)[1]) * 1024
                for name in ("VmRSS", "RssAnon", "RssShmem")]

    def cpu_us(self):
        total = 0
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{thread}/schedstat") as stat:
                total += int(stat.read().split()[0])
        return total / 1000

    def stop(self):
        self.process.kill()
        self.process.wait()


def shards_for(connections):
    """A shard's table takes as many sockets as the descriptor limit, less its reserve."""
    limit = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 1 << 20)
    return -(-connections // (limit * 9 // 10))


def padded(path, size=60):
    path += "&pad=" if "?" in path else "?pad="
    return path + "x" * (size - len(path))


def slabs():
    try:
        with open("/proc/slabinfo") as info:
            lines = info.read().splitlines()[2:]
    except OSError:
        return {}
    return {f[0]: int(f[1]) * int(f[3]) for f in (line.split() for line in lines)}


def available():
    with open("/proc/meminfo") as info:
        return int(re.search(r"MemAvailable:\s+(\d+)", info.read())[1]) * 1024


# Made once for each end of a connection, so half of what was made is the server's.
both_ends = ("TCP", "sock_inode_cache", "filp", "dentry", "lsm_inode_cache", "lsm_file_cache")


def server_end(grown):
    """Of the slab objects by name, those of a parked socket's server end."""
    mine = {name: grown[name] / 2 for name in both_ends if name in grown}
    # /proc/<pid>/fd/ has a dentry for each descriptor that somebody looked at.
    if "dentry" in mine and "proc_inode_cache" in grown:
        mine["dentry"] = min(mine["dentry"], 192)
    mine.update((name, grown[name]) for name in grown if name.startswith(("io_", "kmalloc-")))
    return {name: round(size) for name, size in mine.items()}


def crowd(port, rooms, source, first, count, pipe):
    """Opens connections, says so, and proves each alive when told."""
    clients = []
    try:
        for i in range(first, first + count):
            room = "all" if rooms == "one" else f"r{i:07}"
            clients.append(Client(port, padded(f"/agents/lab/{room}?_pk=c{i:07}"), source))
            clients[-1].ask(json.dumps({"op": "attach", "hex": "ab" * 64}))
    except OSError as error:
        print(f"after {len(clients)} connections: {error}", file=sys.stderr)
    pipe.send(len(clients))
    pipe.recv()
    alive = sum(b'"' + b"ab" * 64 in client.ask('{"op":"attachment"}') for client in clients)
    pipe.send(alive)
    pipe.recv()


def crowds(server, rooms, connections, processes):
    """So many connections by so many processes, each from an address of its own; pipes to them."""
    pipes = []
    each = connections // processes
    for i in range(processes):
        ours, theirs = multiprocessing.Pipe()
        pipes.append(ours)
        multiprocessing.Process(target=crowd, daemon=True, args=(
            server.port, rooms, f"127.0.{i // 250}.{i % 250 + 2}", i * each, each, theirs)).start()
    return pipes


def memory(options):
    shards = shards_for(options.connections)
    server = Server(options.binary, "--hibernate-after", "3s", "--shards", str(shards),
                    "--room-connections-max", "200000")
    warm = [Client(server.port, padded(f"/agents/lab/w{i}")) for i in range(64)]
    for client in warm:
        client.ask(json.dumps({"op": "attach", "hex": "ab" * 64}))
        client.socket.close()
    del warm
    time.sleep(4)
    before, slabs_before, available_before = server.resident(), slabs(), available()
    pipes = crowds(server, options.rooms, options.connections, options.processes)
    opened = sum(pipe.recv() for pipe in pipes)
    server.wait_parked(opened)
    time.sleep(6)  # memory goes back two seconds after the last agent, and what that frees
    each_now = [round((now - then) / opened) for now, then in zip(server.resident(), before)]
    result = {"connections": opened, "rooms": options.rooms, "shards": shards,
              "server_bytes_each": each_now[0], "heap": each_now[1], "slabs": each_now[2],
              "machine_bytes_each": round((available_before - available()) / opened)}
    grown = {k: round((v - slabs_before.get(k, 0)) / opened, 1) for k, v in slabs().items()}
    grown = {k: v for k, v in grown.items() if v >= 8}
    result["slab_bytes_each_both_ends"] = grown
    result["slab_bytes_server_end"] = server_end(grown)
    result["slab_bytes_server_end_sum"] = sum(result["slab_bytes_server_end"].values())
    for pipe in pipes:
        pipe.send("prove")
    result["alive"] = sum(pipe.recv() for pipe in pipes)
    server.stop()
    return result


def percentiles(samples):
    samples.sort()
    return {name: round(samples[min(len(samples) - 1, int(len(samples) * q))] * 1e6, 1)
            for name, q in (("p50", .5), ("p99", .99), ("p99.9", .999))}


def wake(options):
    server = Server(options.binary, "--hibernate-after", "1s", "--shards", "1")
    clients = [Client(server.port, f"/agents/echo/r{i}") for i in range(options.rooms)]
    cold, awake = [], []
    for _ in range(3):
        server.wait_parked(options.rooms)
        for client in clients:
            for samples in (cold, awake):
                began = time.perf_counter()
                client.ask("hello")
                samples.append(time.perf_counter() - began)
            time.sleep(0.0002)
    wakes = server.metric("ringroom_agents_created_total") - options.rooms
    server.stop()
    return {"wakes": wakes, "cold_us": percentiles(cold), "awake_us": percentiles(awake)}


def storm(options):
    """All sleeping rooms get a message within a second; when does each answer?"""
    server = Server(options.binary, "--hibernate-after", "3s", "--shards", "1")
    clients = [Client(server.port, f"/agents/echo/r{i}") for i in range(options.rooms)]
    poll = select.epoll()
    for client in clients:
        poll.register(client.socket, select.EPOLLIN)
    by_file = {client.socket.fileno(): i for i, client in enumerate(clients)}
    data = frame(1, b"12345678")
    result = {"rooms": options.rooms}

    def gale(step):
        """One message to each, `step` seconds apart; the seconds until each was answered."""
        began = time.perf_counter()
        sent, answered, took = 0, 0, []
        while answered < len(clients):
            now = time.perf_counter()
            while sent < len(clients) and now >= began + sent * step:
                clients[sent].socket.send(data)
                sent += 1
            for file, _ in poll.poll(0):
                client = by_file[file]
                clients[client].socket.recv(4096)
                took.append(time.perf_counter() - (began + client * step))
                answered += 1
        return took

    for name, step in (("in_a_second", 1 / options.rooms), ("at_once", 0)):
        for kind in ("asleep", "awake"):
            if kind == "asleep":
                server.wait_parked(options.rooms)
            created = server.metric("ringroom_agents_created_total")
            took = gale(step)
            woken = server.metric("ringroom_agents_created_total") - created
            result[f"{name}_{kind}_us"] = percentiles(took) | {
                "max": round(took[-1] * 1e6, 1), "woken": woken}
    server.stop()
    return result


def rounds(server, clients, opcode, count):
    """Server CPU in microseconds for each message of one on each connection, again and again."""
    data = frame(opcode, b"12345678")
    poll = select.epoll()
    for client in clients:
        poll.register(client.socket, select.EPOLLIN)
    by_file = {client.socket.fileno(): client.socket for client in clients}
    began, done = server.cpu_us(), 0
    while done < count:
        for client in clients:
            client.socket.send(data)
        missing = len(clients)
        while missing:
            for file, _ in poll.poll():
                missing -= len(by_file[file].recv(4096)) // 10
        done += len(clients)
    return (server.cpu_us() - began) / done


def pings(options):
    server = Server(options.binary, "--hibernate-after", "500ms", "--shards", "1")
    clients = [Client(server.port, f"/agents/lab/r{i}") for i in range(100)]
    for client in clients:
        client.ask('{"op":"auto-response","request":"12345678","response":"87654321"}')
    echo = [Client(server.port, f"/agents/echo/r{i}") for i in range(100)]
    server.wait_parked(200)
    created = server.metric("ringroom_agents_created_total")
    result = {"ping_us": rounds(server, clients, 9, options.count // 2),
              "auto_response_us": rounds(server, clients, 1, options.count // 2),
              "wakes": server.metric("ringroom_agents_created_total") - created,
              "echo_us": rounds(server, echo, 1, options.count // 10)}
    server.stop()
    return result


def sleepers(options):
    server = Server(options.binary, "--hibernate-after", "1s", "--shards",
                    str(shards_for(options.rooms)))
    echo = [Client(server.port, f"/agents/echo/r{i}") for i in range(100)]

    def turns():
        server.wait_parked(parked + len(echo))
        return round(sorted(rounds(server, echo, 1, 50_000) for _ in range(5))[2], 2)

    parked = 0
    without = turns()
    pipes = crowds(server, "each", options.rooms, options.processes)
    parked = sum(pipe.recv() for pipe in pipes)
    beside = turns()
    for pipe in pipes:
        pipe.send("end")
        pipe.recv()
        pipe.send("end")
    result = {"sleeping_rooms": parked, "echo_us_without": without, "echo_us_beside": beside}
    parked = 0
    result["echo_us_after"] = turns()
    server.stop()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["memory", "wake", "storm", "pings", "sleepers"])
    parser.add_argument("--binary", default="build/ringroom")
    parser.add_argument("--connections", type=int, default=15_000)
    parser.add_argument("--processes", type=int, default=1, help="clients, of at most 15,000 each")
    parser.add_argument("--rooms", default=None)
    parser.add_argument("--count", type=int, default=1_000_000)
    options = parser.parse_args()
    if options.what == "memory":
        options.rooms = options.rooms or "one"
    else:
        usual = {"wake": 2000, "storm": 10_000}
        options.rooms = int(options.rooms or usual.get(options.what, 15_000))
    print(json.dumps(globals()[options.what](options)))


if __name__ == "__main__":
    main()
