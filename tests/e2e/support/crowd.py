"""Thousands of plain WebSocket connections from one process, told by lines on standard input what
to do; each order is answered by one line `done NUMBER`, how many did it as expected.

    crowd.py HOST PORT PATH COUNT       {i} in PATH is the connection's number modulo 100

Orders: connect, echo, half (sends the first half of a frame), reset (RST), close, quit.
"""
import socket
import struct
import sys

BATCH = 200
PATIENCE_S = 30


def frame(opcode, payload):
    assert len(payload) < 126
    mask = b"\x12\x34\x56\x78"
    hidden = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + hidden


def handshake(path):
    return (f"GET {path} HTTP/1.1\r\nHost: crowd\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()


def receive_until(sock, end):
    received = b""
    while not end(received):
        piece = sock.recv(4096)
        if not piece:
            break
        received += piece
    return received


class Crowd:
    def __init__(self, host, port, path, count):
        self.address = (host, port)
        self.path = path
        self.count = count
        self.sockets = []

    def open_one(self, number):
        sock = socket.socket()
        sock.settimeout(PATIENCE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Some thousand ports for each of several addresses.
        sock.bind((f"127.0.0.{2 + number // 5000}", 0))
        sock.connect(self.address)
        sock.sendall(handshake(self.path.replace("{i}", str(number % 100))))
        return sock

    def connect(self):
        good = 0
        while len(self.sockets) < self.count:
            first = len(self.sockets)
            batch = [self.open_one(i) for i in range(first, min(first + BATCH, self.count))]
            self.sockets += batch
            for sock in batch:
                good += receive_until(sock, lambda got: b"\r\n\r\n" in got).startswith(b"HTTP/1.1 101 ")
        return good

    def echo(self):
        good = 0
        for first in range(0, len(self.sockets), BATCH):
            batch = self.sockets[first:first + BATCH]
            for number, sock in enumerate(batch, first):
                sock.sendall(frame(1, b"%08d" % number))
            for number, sock in enumerate(batch, first):
                answer = receive_until(sock, lambda got: len(got) >= 10)
                good += answer == b"\x81\x08%08d" % number
        return good

    def half(self):
        for sock in self.sockets:
            sock.sendall(frame(2, bytes(100))[:50])
        return len(self.sockets)

    def reset(self):
        for sock in self.sockets:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        done, self.sockets = len(self.sockets), []
        return done

    def close(self):
        good = 0
        for sock in self.sockets:
            sock.sendall(frame(8, struct.pack(">H", 1000)))
        for sock in self.sockets:
            good += receive_until(sock, lambda got: False) == b"\x88\x02\x03\xe8"
            sock.close()
        self.sockets = []
        return good


def main():
    host, port, path, count = sys.argv[1:]
    crowd = Crowd(host, int(port), path, int(count))
    orders = {"connect": crowd.connect, "echo": crowd.echo, "half": crowd.half,
              "reset": crowd.reset, "close": crowd.close}
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        print("done", orders[line.strip()](), flush=True)


if __name__ == "__main__":
    main()
