#!/usr/bin/env python3
"""Durable writes of many rooms on one shard, beside a loop that commits and syncs each, and what rooms
of the same shard that don't write notice of them.

    bench/storage.py writes [--rooms 1000] [--seconds 5] [--durability strict|process] [--folder DIR]
    bench/storage.py quiet  [--rooms 1000] [--rate 2000 ...] [--seconds 2] [--rounds 10] [--folder DIR]

writes: each room has one client, which writes a row by Lab's `sql` and waits for the answer. quiet: so
many queries a second by the clock over all rooms, in turn reading ones and writing ones, while a client
of a room that does neither measures its answers from a process of its own. Many short rounds of both
at each rate, taken together: what the machine does beside hits all. Starts build/ringroom (--binary
names another) pinned to CPU 0. Ends with a line of JSON for each rate.
"""
import argparse
import json
import multiprocessing
import os
import select
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from hibernation import Client, Server, frame  # noqa: E402


def query(text):
    return frame(1, json.dumps({"op": "sql", "query": text}).encode())


INSERT, SELECT = query("INSERT INTO t VALUES (1)"), query("SELECT a FROM t LIMIT 1")


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


def start(arguments, folder):
    return Server(arguments.binary, "--shards", "1", "--data", os.path.join(folder, "data"),
                  "--durability", arguments.durability, "--hibernate-after", "never")


def writers(server, rooms):
    sockets = []
    for i in range(rooms):
        client = Client(server.port, f"/agents/lab/room{i}")
        client.ask(json.dumps({"op": "sql", "query": "CREATE TABLE t (a)"}))
        sockets.append(client.socket)
    return sockets


def closed_loop(sockets, message, seconds):
    """Each asks again as soon as it has its answer. How many were answered a second."""
    by_descriptor = {each.fileno(): each for each in sockets}
    poller = select.epoll()
    for descriptor in by_descriptor:
        poller.register(descriptor, select.EPOLLIN)
    for each in sockets:
        each.send(message)
    count, began = 0, time.monotonic()
    while time.monotonic() < began + seconds:
        for descriptor, _ in poller.poll():
            by_descriptor[descriptor].recv(4096)
            by_descriptor[descriptor].send(message)
            count += 1
    return count, time.monotonic() - began


def writes(arguments, folder):
    server = start(arguments, folder)
    sockets = writers(server, arguments.rooms)
    names = ("ringroom_storage_commits_total", "ringroom_storage_log_writes_total",
             "ringroom_storage_log_bytes_total")
    before, cpu = [server.metric(name) for name in names], server.cpu_us()
    count, took = closed_loop(sockets, INSERT, arguments.seconds)
    cpu = server.cpu_us() - cpu
    commits, log_writes, log_bytes = (server.metric(name) - was for name, was in zip(names, before))
    server.stop()
    each = commit_and_sync_each(folder, 3)
    return {"rooms": arguments.rooms, "writes_per_second": round(count / took),
            "times_commit_and_sync_each": round(count / took / each, 2),
            "commit_and_sync_each_per_second": round(each),
            "writes_per_sync": round(commits / max(log_writes, 1), 1),
            "cpu_us_per_write": round(cpu / count, 1),
            "log_bytes_per_write": round(log_bytes / max(commits, 1))}


def probe(port, seconds, results):
    """Round trips of a room that neither reads nor writes, about 500 a second, in µs."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # not to measure its own waiting
    except PermissionError:
        pass
    client = Client(port, "/agents/echo/probe")
    times, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        client.ask("probe")
        times.append((time.perf_counter() - began) * 1e6)
        time.sleep(0.002)
    results.send(times)


def open_loop(sockets, message, rate, seconds):
    """By the clock, in turn over all rooms; answers are read between any two messages, so that many
    at once don't make a burst of what comes next."""
    poller = select.epoll()
    by_descriptor = {each.fileno(): each for each in sockets}
    for descriptor in by_descriptor:
        poller.register(descriptor, select.EPOLLIN)
    began, sent, answered, readable = time.monotonic(), 0, 0, []
    while (now := time.monotonic()) < began + seconds:
        if sent < (now - began) * rate:
            sockets[sent % len(sockets)].send(message)
            sent += 1
        if readable:
            answered += by_descriptor[readable.pop()[0]].recv(65536).count(b'{"rows"')
        else:
            readable = poller.poll(0 if sent < (now - began) * rate else 0.0005)
    return answered / seconds


def quiet(arguments, folder):
    server = start(arguments, folder)
    sockets = writers(server, arguments.rooms)
    open_loop(sockets, INSERT, arguments.rate[0], 1)
    times, answered = {}, {}
    for _ in range(arguments.rounds):
        for rate in arguments.rate:
            for kind, message in (("reads", SELECT), ("writes", INSERT)):
                ours, theirs = multiprocessing.Pipe()
                child = multiprocessing.Process(target=probe,
                                                args=(server.port, arguments.seconds, theirs))
                child.start()
                answered.setdefault((rate, kind), []).append(
                    open_loop(sockets, message, rate, arguments.seconds + 0.3))
                times.setdefault((rate, kind), []).extend(ours.recv())
                child.join()
    server.stop()
    return [of_rate(rate, times, answered) for rate in arguments.rate]


def of_rate(rate, times, answered):
    result = {"rate": rate}
    for kind in ("reads", "writes"):
        result[f"{kind}_answered_per_second"] = round(statistics.median(answered[rate, kind]))
        percentiles = statistics.quantiles(times[rate, kind], n=100)
        for which in (50, 90, 99):
            result[f"{kind}_p{which}_us"] = round(percentiles[which - 1])
    result["added_p99_us"] = result["writes_p99_us"] - result["reads_p99_us"]
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("writes", "quiet"), nargs="?", default="writes")
    parser.add_argument("--rooms", type=int, default=1000)
    parser.add_argument("--rate", type=int, nargs="+", default=[2000])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--durability", default="strict")
    parser.add_argument("--folder", default=None)
    parser.add_argument("--binary", default="build/ringroom")
    arguments = parser.parse_args()
    arguments.seconds = arguments.seconds or (5 if arguments.what == "writes" else 2)
    folder = tempfile.mkdtemp(prefix="ringroom-bench-", dir=arguments.folder)
    try:
        if arguments.what == "writes":
            results = [writes(arguments, folder)]
        else:
            results = quiet(arguments, folder)
    finally:
        shutil.rmtree(folder)
    for result in results:
        print(json.dumps(result))


main()
