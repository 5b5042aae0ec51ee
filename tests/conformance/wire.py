"""The client's side of RFC 6455, octet by octet: it can say everything that is wrong, and refuses
everything that a server must not say. Only the standard library, no code of the server's."""
import base64
import hashlib
import os
import socket
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

# How long to wait for an answer that must come; on a busy machine, under a sanitizer too.
PATIENCE_S = 20
# Shorter than the server's own deadline for peers that never close (5 s), so that a close which
# only the deadline brought about is seen.
CLOSE_PATIENCE_S = 3


class Violation(Exception):
    """The server did not do what it must."""


def require(condition, text):
    if not condition:
        raise Violation(text)


def shorten(data):
    text = repr(bytes(data[:40]))
    return text if len(data) <= 40 else f"{text}… ({len(data)} bytes)"


def frame(opcode, payload=b"", fin=True, rsv=0, mask=b"\x37\xfa\x21\x3d", length=None,
          length_form=None):
    """One frame. `length` declares another length than the payload's, `length_form` (7, 16 or 64
    bits) a longer form than needed, `mask=None` leaves the mask out."""
    declared = len(payload) if length is None else length
    if length_form is None:
        length_form = 7 if declared < 126 else 16 if declared < 65536 else 64
    mask_bit = 0 if mask is None else 0x80
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if length_form == 7:
        head += bytes([mask_bit | declared])
    elif length_form == 16:
        head += bytes([mask_bit | 126]) + struct.pack(">H", declared)
    else:
        head += bytes([mask_bit | 127]) + struct.pack(">Q", declared)
    if mask is None:
        return head + payload
    return head + mask + apply_mask(payload, mask)


def apply_mask(payload, mask):
    key = (mask * (len(payload) // 4 + 1))[:len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return mixed.to_bytes(len(payload), "big")


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


def accept_key(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


class Frame:
    def __init__(self, opcode, fin, rsv, payload):
        self.opcode, self.fin, self.rsv, self.payload = opcode, fin, rsv, payload

    def __str__(self):
        return (f"frame(opcode {self.opcode}, fin {self.fin}, rsv {self.rsv}, "
                f"{shorten(self.payload)})")


class Answer:
    """The head of an HTTP response; header names in lower case."""

    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.status = int(lines[0].split(" ")[1])
        self.headers = [(name.lower(), value.strip())
                        for name, _, value in (line.partition(":") for line in lines[1:])]

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def one(self, name):
        values = self.all(name)
        require(len(values) == 1, f"{len(values)} headers {name} in {self.line}")
        return values[0]


class Peer:
    """A TCP connection to the server, first raw, after open() a WebSocket."""

    def __init__(self, address, path):
        self.host = f"{address[0]}:{address[1]}"
        self.path = path
        self.socket = socket.create_connection(address, timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()
        self.rsv_allowed = 0
        self.end = "ended"

    def shut(self):
        self.socket.close()

    # ---- Octets

    def send(self, *pieces):
        """All in one write; the server may close meanwhile."""
        try:
            self.socket.sendall(b"".join(pieces))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_chopped(self, data, bytes_each):
        for at in range(0, len(data), bytes_each):
            self.send(data[at:at + bytes_each])

    def receive(self):
        """False at the end of the stream."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            self.end = "was reset"
            data = b""
        except socket.timeout:
            raise Violation("nothing came: " + (f"only {shorten(self.received)}"
                                                if self.received else "no octet")) from None
        self.received += data
        return bool(data)

    def take(self, count):
        while len(self.received) < count:
            require(self.receive(), f"the stream {self.end} after {shorten(self.received)}")
        data = bytes(self.received[:count])
        del self.received[:count]
        return data

    def expect_end(self):
        """The server's end of the stream, with nothing before it."""
        self.socket.settimeout(CLOSE_PATIENCE_S)
        while self.receive():
            pass
        require(not self.received, f"{shorten(self.received)} after the end")

    # ---- HTTP

    def request(self, headers, method="GET", version="HTTP/1.1"):
        lines = [f"{method} {self.path} {version}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def handshake_headers(self, key="dGhlIHNhbXBsZSBub25jZQ=="):
        return [("Host", self.host), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
                ("Sec-WebSocket-Key", key), ("Sec-WebSocket-Version", "13")]

    def read_answer(self):
        while b"\r\n\r\n" not in self.received:
            require(self.receive(), f"no whole head: the stream {self.end} after "
                                    f"{shorten(self.received)}")
        end = self.received.index(b"\r\n\r\n")
        return Answer(self.take(end + 4)[:-4])

    def open(self, *more_headers):
        """The opening handshake; returns the answer."""
        key = base64.b64encode(os.urandom(16)).decode()
        self.send(self.request(self.handshake_headers(key) + list(more_headers)))
        answer = self.read_answer()
        require(answer.status == 101, answer.line)
        require(answer.one("sec-websocket-accept") == accept_key(key), "wrong Sec-WebSocket-Accept")
        return answer

    # ---- Frames

    def read_frame(self):
        first, second = self.take(2)
        length = second & 0x7F
        if length == 126:
            length = struct.unpack(">H", self.take(2))[0]
            require(length > 125, "a length that is not in its shortest form")
        elif length == 127:
            length = struct.unpack(">Q", self.take(8))[0]
            require(length > 65535, "a length that is not in its shortest form")
        require(second & 0x80 == 0, "a masked frame")
        got = Frame(first & 0x0F, bool(first & 0x80), first >> 4 & 7, self.take(length))
        require(got.rsv & ~self.rsv_allowed == 0, f"reserved bits in {got}")
        if got.opcode >= CLOSE:
            require(got.fin and length <= 125 and got.rsv == 0, f"not a control frame: {got}")
        return got

    def read_message(self):
        """The first frame with the payloads of all put together; control frames are refused."""
        whole = self.read_frame()
        require(whole.opcode in (TEXT, BINARY), f"no message but {whole}")
        pieces = [whole.payload]
        while not whole.fin:
            more = self.read_frame()
            require(more.opcode == CONTINUATION and more.rsv == 0, f"in a message {more}")
            pieces.append(more.payload)
            whole.fin = more.fin
        whole.payload = b"".join(pieces)
        return whole

    def expect_message(self, opcode, payload):
        got = self.read_message()
        require(got.opcode == opcode and got.payload == payload, f"not the echo: {got}")

    def expect_pong(self, payload):
        got = self.read_frame()
        require(got.opcode == PONG and got.payload == payload, f"not the pong: {got}")

    def expect_close_frame(self, payload):
        """A close frame with the payload's code; the reason is the server's affair."""
        got = self.read_frame()
        require(got.opcode == CLOSE, f"no close but {got}")
        code, wanted = got.payload[:2], payload[:2]
        require(code == wanted,
                f"closed with {int.from_bytes(code, 'big')}, not {int.from_bytes(wanted, 'big')}: "
                f"{shorten(got.payload[2:])}")
        got.payload[2:].decode("utf-8")

    def expect_failed(self, code):
        """The server fails the connection: a close frame with the code, then the end (§7.1.7)."""
        self.expect_close_frame(close_payload(code))
        self.expect_end()

    def expect_alive(self):
        self.send(frame(PING, b"alive?"))
        self.expect_pong(b"alive?")

    def close(self):
        """The closing handshake, begun by us."""
        self.send(frame(CLOSE, close_payload(1000)))
        self.expect_close_frame(close_payload(1000))
        self.expect_end()
