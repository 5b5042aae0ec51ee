#!/usr/bin/env python3
"""Durable writes of many rooms on one shard, beside a loop that commits and syncs each.

    bench/storage.py [--rooms 1000] [--seconds 5] [--durability strict|process] [--folder DIR]

Each room has one client, which writes a row by Lab's `sql` and waits for the answer. Starts
build/ringroom (--binary names another) pinned to CPU 0. Ends with a line of JSON.
"""
import argparse
import json
import os
import select
import shutil
import sqlite3
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hibernation import Client, Server, frame  # noqa: E402

INSERT = json.dumps({"op": "sql", "query": "INSERT INTO t VALUES (1)"}).encode()


def commit_and_sync_each(folder, seconds):
    """Commits a second of SQLite's own: one writer, WAL, synchronous=FULL."""
    database = sqlite3.connect(os.path.join(folder, "each.db"), isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE t (a)")
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        database.execute("INSERT INTO t VALUES (1)")
        count += 1
    return count / seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rooms", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--durability", default="strict")
    parser.add_argument("--folder", default=None)
    parser.add_argument("--binary", default="build/ringroom")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="ringroom-bench-", dir=arguments.folder)
    server = Server(arguments.binary, "--shards", "1", "--data", os.path.join(folder, "data"),
                    "--durability", arguments.durability, "--hibernate-after", "never")
    clients = {}
    for i in range(arguments.rooms):
        client = Client(server.port, f"/agents/lab/room{i}")
        client.ask(json.dumps({"op": "sql", "query": "CREATE TABLE t (a)"}))
        clients[client.socket.fileno()] = client.socket
    poller = select.epoll()
    for descriptor in clients:
        poller.register(descriptor, select.EPOLLIN)
    message = frame(1, INSERT)
    for client in clients.values():
        client.send(message)
    count, cpu = 0, server.cpu_us()
    began = time.monotonic()
    while time.monotonic() < began + arguments.seconds:
        for descriptor, _ in poller.poll():
            clients[descriptor].recv(4096)
            clients[descriptor].send(message)
            count += 1
    took = time.monotonic() - began
    cpu = server.cpu_us() - cpu
    server.stop()
    result = {"rooms": arguments.rooms, "writes_per_second": round(count / took),
              "cpu_us_per_write": round(cpu / count, 1),
              "commit_and_sync_each_per_second": round(commit_and_sync_each(folder, 2))}
    shutil.rmtree(folder)
    print(json.dumps(result))


main()
