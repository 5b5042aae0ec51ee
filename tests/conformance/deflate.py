"""permessage-deflate (RFC 7692): what is negotiated, and messages both ways."""
import random
import zlib

from case import MESSAGE_BYTES_MAX, Case, refused
from wire import BINARY, CONTINUATION, PING, PONG, TEXT, close_payload, frame, require

RSV1 = 4
TAIL = b"\x00\x00\xff\xff"
EXTENSION = "permessage-deflate"

ACCEPTED = (
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_max_window_bits=9",
    "permessage-deflate; client_max_window_bits=15",
    "permessage-deflate; server_max_window_bits=9",
    "permessage-deflate; server_max_window_bits=12",
    "permessage-deflate; server_max_window_bits=15",
    'permessage-deflate; server_max_window_bits="10"',
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; client_no_context_takeover",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
    "server_max_window_bits=10; client_max_window_bits=10",
    "permessage-deflate; unknown, permessage-deflate",
    "x-unknown; a=b, permessage-deflate",
    "permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=10",
)
DECLINED = (
    "permessage-deflate; unknown",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits=010",
    "permessage-deflate; server_max_window_bits=x",
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; client_no_context_takeover=true",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
    "permessage-deflate-not",
    "x-webkit-deflate-frame",
)


def parameters_of(value):
    """Of one extension in an answer or offer: name → value, None for a bare one."""
    parts = [part.strip() for part in value.split(";")]
    pairs = [part.partition("=") for part in parts[1:]]
    parameters = {name: text.strip('"') if equals else None for name, equals, text in pairs}
    require(len(parameters) == len(pairs), f"a parameter twice: {value}")
    return parts[0], parameters


def negotiate(peer, offer):
    """Opens with an offer; the parameters of the answer, or None if it was declined."""
    answers = peer.open(("Sec-WebSocket-Extensions", offer)).all("sec-websocket-extensions")
    if not answers:
        return None
    require(len(answers) == 1 and "," not in answers[0], f"answers {answers}")
    name, parameters = parameters_of(answers[0])
    require(name == EXTENSION, f"answer {answers[0]}")
    peer.rsv_allowed = RSV1
    return parameters


def check_answer(offer, answer):
    """RFC 7692 §7.1: what was demanded is granted, and what was not offered is not asked for."""
    offered = [parameters_of(one)[1] for one in offer.split(",") if EXTENSION in one][-1]
    known = {"server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits",
             "client_max_window_bits"}
    require(set(answer) <= known, f"unknown parameters in {answer}")
    if "server_no_context_takeover" in offered:
        require("server_no_context_takeover" in answer, "server_no_context_takeover not granted")
    if "server_max_window_bits" in offered:
        granted = int(answer.get("server_max_window_bits") or 99)
        require(8 <= granted <= int(offered["server_max_window_bits"]), f"window of {granted} bits")
    if "client_max_window_bits" not in offered:
        require("client_max_window_bits" not in answer, "client_max_window_bits was not offered")
    elif "client_max_window_bits" in answer:
        require(8 <= int(answer["client_max_window_bits"]) <= 15, "window not of 8 to 15 bits")


def deflate(payload, window_bits=15, level=6):
    compressor = zlib.compressobj(level, zlib.DEFLATED, -window_bits)
    data = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data[:-4]


def inflate(data, window_bits=15):
    """With a fresh window: a server that said so takes no context over."""
    decompressor = zlib.decompressobj(-window_bits)
    return decompressor.decompress(data + TAIL)


def expect_echo(peer, opcode, payload, window_bits=15):
    got = peer.read_message()
    require(got.opcode == opcode, f"not the echo: {got}")
    data = inflate(got.payload, window_bits) if got.rsv == RSV1 else got.payload
    require(data == payload, f"not the echo: {data[:40]!r}… ({len(data)} bytes)")


def words(count):
    source = random.Random(count)
    return b" ".join(source.choice((b"room", b"agent", b"ring", b"%d" % source.randrange(9999)))
                     for _ in range(count))


PAYLOADS = (b"", b"a", b"Hello", b"a" * 1000, words(20), words(200), words(20_000),
            bytes(MESSAGE_BYTES_MAX), random.Random(7).randbytes(5000))


def negotiates(offer):
    def check(peer):
        answer = negotiate(peer, offer)
        require(answer is not None, "declined")
        check_answer(offer, answer)
        window_bits = int(answer.get("server_max_window_bits") or 15)
        client_bits = int(answer.get("client_max_window_bits") or 15)
        for payload in (words(3000), words(3000)):
            peer.send(frame(TEXT, deflate(payload, client_bits), rsv=RSV1))
            expect_echo(peer, TEXT, payload, window_bits)
        peer.close()
    return check


def declines(offer):
    def check(peer):
        require(negotiate(peer, offer) is None, "accepted")
        peer.send(frame(TEXT, b"plain"))
        peer.expect_message(TEXT, b"plain")
        peer.close()
    return check


def two_lines(peer):
    answer = peer.open(("Sec-WebSocket-Extensions", "x-unknown"),
                       ("Sec-WebSocket-Extensions", EXTENSION))
    require(parameters_of(answer.one("sec-websocket-extensions"))[0] == EXTENSION, "declined")


def compressed(run):
    """A check on a connection that has negotiated the extension."""
    def check(peer):
        require(negotiate(peer, EXTENSION) is not None, "declined")
        run(peer)
    return check


def echoes(opcode, *payloads):
    def run(peer):
        for payload in payloads:
            peer.send(frame(opcode, deflate(payload), rsv=RSV1))
            expect_echo(peer, opcode, payload)
        peer.close()
    return compressed(run)


def takes_no_context_over(peer):
    """The same message twice: neither echo may need what the other had in its window."""
    payload = words(500)
    for _ in range(3):
        peer.send(frame(TEXT, deflate(payload), rsv=RSV1))
        expect_echo(peer, TEXT, payload)


def fragmented(peer):
    payload = words(300)
    data = deflate(payload)
    peer.send(frame(TEXT, data[:10], fin=False, rsv=RSV1),
              frame(CONTINUATION, data[10:20], fin=False), frame(PING, b"between"),
              frame(CONTINUATION, data[20:], fin=False), frame(CONTINUATION))
    peer.expect_pong(b"between")
    expect_echo(peer, TEXT, payload)


def chopped(peer):
    payload = words(100)
    peer.send_chopped(frame(TEXT, deflate(payload), rsv=RSV1), 1)
    expect_echo(peer, TEXT, payload)


def plain_among_compressed(peer):
    peer.send(frame(TEXT, b"plain"), frame(TEXT, deflate(b"compressed"), rsv=RSV1),
              frame(BINARY, b"plain again"))
    for opcode, payload in ((TEXT, b"plain"), (TEXT, b"compressed"), (BINARY, b"plain again")):
        expect_echo(peer, opcode, payload)


def sends(data, payload):
    def run(peer):
        peer.send(frame(BINARY, data, rsv=RSV1))
        expect_echo(peer, BINARY, payload)
        peer.expect_alive()
    return compressed(run)


def final_block(payload):
    """A block with BFINAL set, and the empty one that must follow it (RFC 7692 §7.2.3.4)."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compressor.compress(payload) + compressor.flush(zlib.Z_FINISH) + b"\x00"


def two_blocks(first, second):
    compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
    return (compressor.compress(first) + compressor.flush(zlib.Z_SYNC_FLUSH) +
            compressor.compress(second) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def fails(data, code):
    return compressed(refused(data, code))


def failure_cases():
    over = MESSAGE_BYTES_MAX + 1
    bombs = {"16 MiB of zeros": bytes(16 << 20), "one byte over the limit": bytes(over)}
    for name, payload in bombs.items():
        yield Case("7692 8", f"bomb refused: {name}",
                   fails(frame(BINARY, deflate(payload, level=9), rsv=RSV1), 1009), False)
    yield Case("7692 6.1", "RSV1 on a continuation refused",
               fails(frame(TEXT, deflate(b"a"), fin=False, rsv=RSV1) +
                     frame(CONTINUATION, b"b", rsv=RSV1), 1002), False)
    for opcode, payload in ((PING, b""), (PONG, b""), (8, close_payload(1000))):
        yield Case("7692 6.1", f"RSV1 on opcode {opcode} refused",
                   fails(frame(opcode, payload, rsv=RSV1), 1002), False)
    for rsv in (1, 2, 3, 5, 6, 7):
        yield Case("5.2", f"RSV {rsv:03b} refused in spite of the extension",
                   fails(frame(TEXT, deflate(b"a"), rsv=rsv), 1002), False)
    for name, data in {"no deflate at all": b"\xff\xff\xff\xff", "block type 3": b"\x07",
                       "bad stored length": b"\x00\x05\x00\x00\x00hello"}.items():
        yield Case("7692 7.2.2", f"bad data refused: {name}",
                   fails(frame(BINARY, data, rsv=RSV1), 1007), False)
    for start in (b"\xff", b"ok\xed\xa0\x80", b"\xe2\x82"):
        yield Case("8.1", f"compressed text …{start[-4:].hex(' ')} refused",
                   fails(frame(TEXT, deflate(start), rsv=RSV1), 1007), False)


def cases():
    for offer in ACCEPTED:
        yield Case("7692 7.1", f"accepted: {offer}", negotiates(offer), False)
    for offer in DECLINED:
        yield Case("7692 7.1", f"declined: {offer}", declines(offer), False)
    yield Case("7692 7.1", "accepted: in a second header line", two_lines, False)
    for payload in PAYLOADS:
        for opcode, kind in ((TEXT, "text"), (BINARY, "binary")):
            if opcode == BINARY or payload.isascii():
                yield Case("7692 7.2", f"compressed {kind} of {len(payload)} bytes echoed",
                           echoes(opcode, payload), False)
    yield Case("7692 7.2", "many compressed messages", echoes(TEXT, *[words(50)] * 50), False)
    for run in (takes_no_context_over, fragmented, chopped, plain_among_compressed):
        name = run.__name__.replace("_", " ")
        yield Case("7692 7.2", f"compressed: {name}", compressed(run), False)
    stored = random.Random(3).randbytes(3000)
    for name, data, payload in (
            ("stored blocks", deflate(stored, level=0), stored),
            ("a final block", final_block(b"final"), b"final"),
            ("two blocks", two_blocks(b"first ", b"second"), b"first second"),
            ("fixed codes of the RFC", bytes.fromhex("f248cdc9c90700"), b"Hello"),
            ("the RFC's empty message", b"\x00", b"")):
        yield Case("7692 7.2.3", f"compressed: {name}", sends(data, payload), False)
    yield from failure_cases()
