"""A member of a room in Python: prints each message it gets as a line of JSON, and sends each line
of its input as a text message. member.py URL SUBPROTOCOL
"""
import asyncio
import json
import pathlib
import sys

from websockets.legacy.client import connect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools/python"))
from ringroom_envelope import read  # noqa: E402


async def listen(connection):
    async for data in connection:
        envelope = read(data)
        if envelope is None:
            print(json.dumps({"plain": data if isinstance(data, str) else list(data)}), flush=True)
            continue
        for message in envelope.messages:
            is_bytes = message.kind == "bytes"
            payload = {"bytes": list(message.payload)} if is_bytes else message.payload
            print(json.dumps({"type": message.type, "payload": payload, "kind": message.kind,
                              "key": message.key, "sequence": envelope.sequence}), flush=True)


async def main(url, subprotocol):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with connect(url, subprotocols=[subprotocol], compression=None) as connection:
        listening = asyncio.create_task(listen(connection))
        print(json.dumps({"open": connection.subprotocol}), flush=True)
        while line := (await lines.readline()).decode().strip():
            await connection.send(line)
        await connection.close()
        await listening


asyncio.run(main(*sys.argv[1:]))
