#!/usr/bin/env python3
"""What envelopes save, as CPU time of the server.

    bench/envelopes.py echo [--binary build/ringroom]     100 connections, one frame in flight
    bench/envelopes.py room [--binary build/ringroom]     200 members, 20 of them send at 20 Hz

echo: the same 32-byte messages, one a frame and 100 in an envelope of FlatBuffers or JSON, to Echo.
room: the same 32-byte messages to Relay, one a frame and in envelopes of 50 ms; and TickRoom with as
many members and nobody who sends: what 4,000 sends a second cost that say nothing, which is the least
that envelopes can cost. Starts a server on core 0 and stays on core 1. Prints a table; every run of a
kind is taken in turn with the others.
"""
import argparse
import base64
import json
import os
import re
import select
import socket
import statistics
import struct
import subprocess
import time

MESSAGE = b"0123456789abcdef0123456789abcdef"
TICK = os.sysconf("SC_CLK_TCK")


def server_cpu(pid):
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        total = int(file.read().split()[0])
    for task in os.listdir(f"/proc/{pid}/task"):
        if int(task) != pid:
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
    return total / 1e9


def start(binary):
    command = ["taskset", "-c", "0", binary, "serve", "--listen", "127.0.0.1:0", "--shards", "1",
               "--admin", "off", "--data", ":memory:"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return process, int(re.search(r":(\d+) \(", process.stdout.readline())[1])


def connect(port, path):
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall((f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += sock.recv(1)
    if not head.startswith(b"HTTP/1.1 101"):
        raise SystemExit(head.decode())
    sock.setblocking(False)
    return sock


def frame(opcode, payload):
    """A client's frame; the mask of zeros leaves the payload as it is."""
    size = len(payload)
    if size < 126:
        return bytes([0x80 | opcode, 0x80 | size]) + bytes(4) + payload
    if size < 65536:
        return struct.pack(">BBH", 0x80 | opcode, 0xfe, size) + bytes(4) + payload
    return struct.pack(">BBQ", 0x80 | opcode, 0xff, size) + bytes(4) + payload


def frame_at(data, at):
    """Where the payload of the server's frame at `at` begins and ends, or None."""
    if len(data) - at < 2:
        return None
    size, begin = data[at + 1], at + 2
    if size == 126:
        size, begin = int.from_bytes(data[at + 2:at + 4], "big"), at + 4
    elif size == 127:
        size, begin = int.from_bytes(data[at + 2:at + 10], "big"), at + 10
    return (begin, begin + size) if begin + size <= len(data) else None


def flat_envelope(messages):
    """Messages of one type, written front to back (proto/README.md)."""
    count = len(messages)
    head = struct.pack("<I4s6H4H", 28, b"RRE1", 12, 28, 4, 12, 20, 24, 8, 12, 4, 8)
    head += struct.pack("<iqQIII", 20, 0, 0, 8, 0, count)
    tables_at = len(head) + 4 * count
    type_at = tables_at + 12 * count
    rest_at = type_at + 8
    offsets, tables, rest = [], [], []
    for i, message in enumerate(messages):
        table = tables_at + 12 * i
        offsets.append(struct.pack("<I", table - (len(head) + 4 * i)))
        tables.append(struct.pack("<iII", table - 20, type_at - (table + 4), rest_at - (table + 8)))
        block = struct.pack("<I", len(message)) + message + bytes(-len(message) % 4)
        rest.append(block)
        rest_at += len(block)
    return head + b"".join(offsets + tables) + struct.pack("<I4s", 1, b"m\0\0\0") + b"".join(rest)


def echo_once(server, port, kind, seconds):
    path = "/agents/echo/x" + {"one": "", "fb": "?batch=fb", "json": "?batch=json"}[kind]
    count = 1 if kind == "one" else 100
    if kind == "one":
        out = frame(2, MESSAGE)
    elif kind == "fb":
        out = frame(2, flat_envelope([MESSAGE] * 100))
    else:
        entry = {"type": "m", "payload": MESSAGE.decode()}
        out = frame(1, json.dumps({"messages": [entry] * 100, "timestamp": 0}).encode())
    poll = select.epoll()
    socks = {}
    for _ in range(100):
        sock = connect(port, path)
        socks[sock.fileno()] = [sock, b""]
        poll.register(sock, select.EPOLLIN)
        sock.send(out)
    frames, pid = 0, server.pid
    began, cpu = None, 0
    warm_until = time.monotonic() + 0.5
    while True:
        now = time.monotonic()
        if began is None and now > warm_until:
            began, cpu, frames = now, server_cpu(pid), 0
        if began is not None and now - began > seconds:
            break
        for fd, _ in poll.poll():
            entry = socks[fd]
            entry[1] += entry[0].recv(1 << 18)
            place = frame_at(entry[1], 0)
            if place is None:
                continue
            entry[1] = entry[1][place[1]:]
            frames += 1
            entry[0].send(out)
    used = server_cpu(pid) - cpu
    for sock, _ in socks.values():
        sock.close()
    return frames * count / used


ROOMS = {"one a frame": "relay/{}", "50 ms": "relay/{}?batch=fb", "sends alone": "tick-room/{}"}


def room_once(server, port, room, kind, seconds):
    batched = kind == "50 ms"
    members = [connect(port, f"/agents/{ROOMS[kind].format(room)}") for _ in range(200)]
    poll = select.epoll()
    buffers = {sock.fileno(): [sock, b"", i, 0] for i, sock in enumerate(members)}
    for sock in members:
        poll.register(sock, select.EPOLLIN)
    room_for_all = memoryview(bytearray(1 << 18))
    delivered, latencies = 0, []
    began, cpu = None, 0
    warm_until = time.monotonic() + 1
    start_at = time.monotonic()
    senders = 0 if kind == "sends alone" else 20
    next_send = [start_at + i * 0.05 / 20 for i in range(senders)]
    while True:
        now = time.monotonic()
        if began is None and now > warm_until:
            began, cpu, delivered, latencies = now, server_cpu(server.pid), 0, []
            for entry in buffers.values():
                entry[3] = 0
        if began is not None and now - began > seconds:
            break
        for i, due in enumerate(next_send):
            if now >= due:
                members[i].send(frame(1, b"%032d" % time.monotonic_ns()))
                next_send[i] = due + 0.05
        wait = min(next_send) - time.monotonic() if senders else 0.01
        for fd, _ in poll.poll(max(0, wait)):
            entry = buffers[fd]
            size = entry[0].recv_into(room_for_all)
            if not batched and entry[2] % 40 != 39:  # frames of one size need no look
                entry[3] += size
                continue
            data = entry[1] + room_for_all[:size]
            at, heard = 0, time.monotonic_ns()
            while (place := frame_at(data, at)) is not None:
                begin, end = place
                if batched:
                    count = int.from_bytes(data[begin + vector_at(data, begin):][:4], "little")
                else:
                    count = 1
                delivered += count
                if entry[2] % 40 == 39:  # a sample of the receivers
                    for found in re.finditer(rb"\d{32}", data[begin:end]):
                        latencies.append((heard - int(found[0])) / 1e6)
                at = end
            entry[1] = data[at:]
    elapsed = time.monotonic() - began
    frame_bytes = 2 + (len(MESSAGE) if senders else 0)
    delivered += sum(entry[3] for entry in buffers.values()) // frame_bytes
    used = server_cpu(server.pid) - cpu
    for sock in members:
        sock.close()
    latencies.sort()
    quantile = lambda q: latencies[int(q * (len(latencies) - 1))] if latencies else 0
    return used / elapsed * 1000, delivered / elapsed, quantile(.5), quantile(.99)


def vector_at(data, begin):
    """Where the messages of an envelope begin, from its beginning."""
    table = int.from_bytes(data[begin:begin + 4], "little")
    vtable = table - int.from_bytes(data[begin + table:begin + table + 4], "little", signed=True)
    field = table + int.from_bytes(data[begin + vtable + 8:begin + vtable + 10], "little")
    return field + int.from_bytes(data[begin + field:begin + field + 4], "little")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["echo", "room"])
    parser.add_argument("--binary", default="build/ringroom")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    process, port = start(options.binary)
    os.sched_setaffinity(0, {1})
    try:
        if options.what == "echo":
            runs = {kind: [] for kind in ("one", "json", "fb")}
            for _ in range(options.rounds):
                for kind, results in runs.items():
                    results.append(echo_once(process, port, kind, options.seconds))
            base = statistics.median(runs["one"])
            for kind, results in runs.items():
                median = statistics.median(results)
                print(f"{kind:5} {median:12,.0f} messages a CPU second, {median / base:6.1f} times")
        else:
            runs = {kind: [] for kind in ROOMS}
            for number in range(options.rounds):
                for kind, results in runs.items():
                    results.append(room_once(process, port, number, kind, options.seconds))
            base = statistics.median(cpu for cpu, *_ in runs["one a frame"])
            for kind, results in runs.items():
                cpu, rate, half, most = (statistics.median(column) for column in zip(*results))
                print(f"{kind:12} {cpu:7.1f} ms CPU a second, 1/{base / cpu:.1f}, "
                      f"{rate:9,.0f} deliveries a second, latency {half:.1f} ms, p99 {most:.1f} ms")
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
