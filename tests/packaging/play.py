"""Starts a server that has the Quiz of room.cc on a free port, plays a round, and stops it.

    play.py COMMAND [ARGUMENT...]
"""
import asyncio
import json
import re
import signal
import subprocess
import sys

from websockets.exceptions import ConnectionClosed
from websockets.legacy.client import connect  # the same interface in versions 10 to 15

READY = re.compile(r"ringroom listening on http://(\S+) \(")
SECONDS_MAX = 30


async def receive(player):
    """The next frame of the game; those of the Agents protocol are for other clients."""
    while True:
        frame = json.loads(await asyncio.wait_for(player.recv(), SECONDS_MAX))
        if not str(frame.get("type", "")).startswith("cf_agent"):
            return frame


async def expect(wanted, *players):
    for player in players:
        frame = await receive(player)
        assert frame == wanted, f"{frame} came instead of {wanted}"


async def play(url, server):
    ada = await connect(url + "?name=Ada")
    bob = await connect(url + "?name=Bob")
    await expect({"joined": {"name": "Bob", "score": 0}}, ada)
    await bob.send("41")
    await expect({"player": {"name": "Bob", "score": 0}}, ada, bob)
    await bob.send("42")
    await expect({"player": {"name": "Bob", "score": 1}}, ada, bob)
    await bob.close()
    await expect({"left": {"name": "Bob", "score": 1}}, ada)
    server.send_signal(signal.SIGTERM)
    try:
        raise AssertionError(f"{await receive(ada)} came after SIGTERM")
    except ConnectionClosed as end:
        assert end.code == 1001, f"the server closed with {end.code}"


def main(command):
    options = ["--listen", "127.0.0.1:0", "--admin", "off", "--data", ":memory:", "--shards", "1"]
    with subprocess.Popen(command + options, stdout=subprocess.PIPE, text=True) as server:
        try:
            ready = READY.match(server.stdout.readline())
            assert ready, "the server did not become ready"
            asyncio.run(play(f"ws://{ready.group(1)}/agents/quiz/any-name", server))
            code = server.wait(SECONDS_MAX)
            assert code == 0, f"SIGTERM ended it with {code}"
        finally:
            server.kill()


main(sys.argv[1:])
