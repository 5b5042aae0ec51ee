"""Echo and Relay seen by another implementation: Debian's python3-websockets, an independent client
that offers permessage-deflate. RINGROOM_BINARY names the server.
"""
import asyncio
import os
import pathlib
import re
import shlex
import signal
import subprocess
import unittest

import websockets
from websockets.legacy.client import connect  # the same interface in versions 10 to 15

BINARY = os.environ.get("RINGROOM_BINARY") or str(
    pathlib.Path(__file__).resolve().parents[2] / "build-test" / "ringroom")
MIB = 1024 * 1024
READY = re.compile(r"ringroom listening on http://(\S+) \(")


class WebsocketsTest(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        arguments = ["serve", "--listen", "127.0.0.1:0", "--admin", "off", "--data", ":memory:"]
        arguments += shlex.split(os.environ.get("RINGROOM_SERVE_ARGS", ""))
        cls.server = subprocess.Popen([BINARY, *arguments], stdout=subprocess.PIPE, text=True,
                                      stderr=subprocess.DEVNULL)
        cls.address = READY.match(cls.server.stdout.readline()).group(1)

    @classmethod
    def tearDownClass(cls):
        cls.server.send_signal(signal.SIGTERM)
        code = cls.server.wait(timeout=15)
        cls.server.stdout.close()
        assert code == 0, f"the server ended with {code}"

    def connect(self, path, **options):
        options.setdefault("max_size", 8 * MIB)
        return connect(f"ws://{self.address}{path}", **options)

    async def next_of(self, connection):
        return await asyncio.wait_for(connection.recv(), 20)

    async def check_echo(self, path, **options):
        async with self.connect(path, **options) as connection:
            for message in ["", b"", "text", b"\x00\xff", "žluťoučký kůň 🐎", "é" * 40_000,
                            bytes(65_535), bytes(65_536), os.urandom(MIB), "x" * (4 * MIB)]:
                await connection.send(message)
                self.assertEqual(await self.next_of(connection), message)
        self.assertEqual(connection.close_code, 1000)

    async def test_echoes_with_permessage_deflate(self):
        async with self.connect("/agents/echo/py") as connection:
            self.assertEqual([extension.name for extension in connection.extensions],
                             ["permessage-deflate"])
        await self.check_echo("/agents/echo/py")

    async def test_echoes_uncompressed(self):
        await self.check_echo("/agents/echo/py", compression=None)

    async def test_honours_every_deflate_parameter(self):
        from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Deflate
        for parameters in [{}, {"server_no_context_takeover": True}, {"client_no_context_takeover": True},
                           {"server_max_window_bits": 9}, {"client_max_window_bits": 9},
                           {"server_max_window_bits": 15, "client_max_window_bits": 15},
                           {"server_no_context_takeover": True, "client_no_context_takeover": True,
                            "server_max_window_bits": 10, "client_max_window_bits": 10}]:
            with self.subTest(parameters):
                async with self.connect("/agents/echo/py", compression=None,
                                        extensions=[Deflate(**parameters)]) as connection:
                    for message in ["again and again " * 500] * 3 + [os.urandom(50_000)]:
                        await connection.send(message)
                        self.assertEqual(await self.next_of(connection), message)

    async def test_takes_fragments(self):
        async with self.connect("/agents/echo/py") as connection:
            await connection.send(["a", "", "bc", "déf" * 1000])
            self.assertEqual(await self.next_of(connection), "abc" + "déf" * 1000)
            await connection.send([bytes([i]) for i in range(256)])
            self.assertEqual(await self.next_of(connection), bytes(range(256)))

    async def test_answers_pings(self):
        async with self.connect("/agents/echo/py") as connection:
            for payload in [b"", b"x", bytes(125)]:
                await asyncio.wait_for(await connection.ping(payload), 20)

    async def test_refuses_too_large_a_message_with_1009(self):
        for size in [4 * MIB + 1, 20 * MIB]:
            async with self.connect("/agents/echo/py", compression=None) as connection:
                with self.assertRaises(websockets.ConnectionClosed):
                    await connection.send(bytes(size))
                    await self.next_of(connection)
            self.assertEqual(connection.close_code, 1009)

    async def test_relays_in_order_to_all_others(self):
        connections = [await self.connect("/agents/relay/py", compression=compression)
                       for compression in ["deflate", None, None]]
        sender, *others = connections
        for number in range(300):
            await sender.send(f"{number}")
        for other in others:
            for number in range(300):
                self.assertEqual(await self.next_of(other), f"{number}")
        self.assertEqual(sender.extensions, [], "compression is off but where a class asks for it")
        for connection in connections:
            await connection.close(4001, "done")
            self.assertEqual((connection.close_code, connection.close_reason), (4001, "done"))

    async def test_refuses_what_is_no_room(self):
        for path, status in [("/agents/nobody/x", 400), ("/agents/echo", 404), ("/", 404)]:
            with self.assertRaises(websockets.InvalidStatusCode) as caught:
                await self.connect(path)
            self.assertEqual(caught.exception.status_code, status)


if __name__ == "__main__":
    unittest.main()
