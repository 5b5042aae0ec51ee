"""Frames: lengths, deliveries, masks, reserved bits, opcodes, pings and pongs (§5.1–§5.3, §5.5)."""
import itertools
import random

from case import MESSAGE_BYTES_MAX, Case, exchange, refused
from wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_payload, frame

LENGTHS = (0, 1, 125, 126, 127, 128, 65535, 65536)
OPCODE_NAMES = {CONTINUATION: "continuation", TEXT: "text", BINARY: "binary", CLOSE: "close",
                PING: "ping", PONG: "pong"}


def payload_of(opcode, length):
    if opcode == TEXT:
        return (b"0123456789abcdef" * (length // 16 + 1))[:length]
    return random.Random(length).randbytes(length)


def in_one_write(peer, data):
    peer.send(data)


def in_octets(peer, data):
    """The header and both ends octet by octet."""
    peer.send_chopped(data[:80], 1)
    peer.send(data[80:-16])
    peer.send_chopped(data[max(80, len(data) - 16):], 1)


def in_chops(peer, data):
    peer.send_chopped(data, 997)


def echo(opcode, length, deliver):
    def check(peer):
        payload = payload_of(opcode, length)
        deliver(peer, frame(opcode, payload))
        peer.expect_message(opcode, payload)
        peer.close()
    return check


def length_cases():
    for opcode, length, deliver in itertools.product((TEXT, BINARY), LENGTHS,
                                                     (in_one_write, in_octets, in_chops)):
        how = deliver.__name__.replace("_", " ")
        yield Case("5.2", f"{OPCODE_NAMES[opcode]} of {length} {how}",
                   echo(opcode, length, deliver))


def many_in_one_write(peer):
    payloads = [b"%d" % number for number in range(300)]
    peer.send(*(frame(TEXT, payload) for payload in payloads))
    for payload in payloads:
        peer.expect_message(TEXT, payload)


def mask_cases():
    for mask in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\x02\x03\x04", b"\0\0\0\x80"):
        payload = payload_of(BINARY, 1021)
        yield Case("5.3", f"masking key {mask.hex()}",
                   exchange(frame(BINARY, payload, mask=mask),
                            lambda peer, payload=payload: peer.expect_message(BINARY, payload)))
    for opcode in (TEXT, BINARY, CLOSE, PING, PONG):
        payload = close_payload(1000) if opcode == CLOSE else b"bare"
        yield Case("5.1", f"unmasked {OPCODE_NAMES[opcode]} refused",
                   refused(frame(opcode, payload, mask=None), 1002))
    yield Case("5.1", "unmasked continuation refused",
               refused(frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b", mask=None), 1002))
    yield Case("5.1", "unmasked empty text refused", refused(frame(TEXT, mask=None), 1002))


def minimal_length_cases():
    for form, lengths in ((16, (0, 1, 125)), (64, (0, 1, 125, 126, 65535))):
        for length, opcode in itertools.product(lengths, (TEXT, BINARY)):
            yield Case("5.2", f"{OPCODE_NAMES[opcode]} of {length} with its length in {form} bits",
                       refused(frame(opcode, b"x" * length, length_form=form), 1002))
        for opcode in (PING, PONG):
            yield Case("5.5", f"{OPCODE_NAMES[opcode]} with its length in {form} bits",
                       refused(frame(opcode, b"x" * 5, length_form=form), 1002))
    yield Case("5.2", "length with its top bit set", refused(frame(BINARY, length=1 << 63), 1002))


def reserved_bit_cases():
    for rsv, opcode in itertools.product(range(1, 8), (TEXT, BINARY, CLOSE, PING, PONG)):
        payload = close_payload(1000) if opcode == CLOSE else b"reserved"
        yield Case("5.2", f"{OPCODE_NAMES[opcode]} with RSV {rsv:03b}",
                   refused(frame(opcode, payload, rsv=rsv), 1002))
    for rsv in range(1, 8):
        yield Case("5.2", f"continuation with RSV {rsv:03b}",
                   refused(frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b", rsv=rsv), 1002))

    def after_a_message(peer):
        peer.send(frame(TEXT, b"good"), frame(TEXT, b"bad", rsv=4), frame(PING))
        peer.expect_message(TEXT, b"good")
        peer.expect_failed(1002)
    yield Case("5.2", "what came before a reserved bit is answered", after_a_message)


def opcode_cases():
    reserved = (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    for opcode, payload in itertools.product(reserved, (b"", b"reserved")):
        size = "with" if payload else "without"
        yield Case("5.2", f"opcode {opcode} {size} payload", refused(frame(opcode, payload), 1002))
    for opcode in (3, 7, 11, 15):
        yield Case("5.2", f"opcode {opcode} inside of a fragmented message",
                   refused(frame(TEXT, b"a", fin=False) + frame(opcode, b"b"), 1002))


def pings_in_order(deliver):
    def check(peer):
        payloads = [b"ping %d" % number for number in range(10)]
        deliver(peer, b"".join(frame(PING, payload) for payload in payloads))
        for payload in payloads:
            peer.expect_pong(payload)
    return check


def pong_is_ignored(payload):
    def check(peer):
        peer.send(frame(PONG, payload))
        peer.expect_alive()
    return check


def ping_in_fragments(deliver):
    def check(peer):
        deliver(peer, frame(TEXT, b"frag", fin=False) + frame(PING, b"between") +
                frame(CONTINUATION, b"ments"))
        peer.expect_pong(b"between")
        peer.expect_message(TEXT, b"fragments")
    return check


def pong_at_once(peer):
    """A pong comes as soon as practical (§5.5.2), not with the end of the message."""
    peer.send(frame(BINARY, b"first ", fin=False), frame(PING, b"now"))
    peer.expect_pong(b"now")
    peer.send(frame(PONG, b"unasked"), frame(CONTINUATION, b"last"))
    peer.expect_message(BINARY, b"first last")


def control_cases():
    for payload in (b"", b"hello", bytes(125), b"\xff\xfe\xfd\x80" * 31 + b"\xff"):
        yield Case("5.5.2", f"ping of {len(payload)} bytes answered with its payload",
                   exchange(frame(PING, payload),
                            lambda peer, payload=payload: peer.expect_pong(payload)))
    for opcode in (CLOSE, PING, PONG):
        payload = (close_payload(1000) + b"x" * 124)[:126]
        yield Case("5.5", f"{OPCODE_NAMES[opcode]} of 126 bytes refused",
                   refused(frame(opcode, payload), 1002))
        yield Case("5.5", f"fragmented {OPCODE_NAMES[opcode]} refused",
                   refused(frame(opcode, payload[:2], fin=False), 1002))
    yield Case("5.5", "ping of 126 bytes refused before its payload",
               refused(frame(PING, length=126), 1002))
    for deliver in (in_one_write, in_octets):
        how = deliver.__name__.replace("_", " ")
        yield Case("5.5.2", f"10 pings {how} answered in order", pings_in_order(deliver))
        yield Case("5.5.2", f"ping inside of a fragmented message {how}",
                   ping_in_fragments(deliver))
    yield Case("5.5.2", "ping inside of an unfinished message answered at once", pong_at_once)
    for payload in (b"", b"unasked", bytes(125)):
        yield Case("5.5.3", f"unasked pong of {len(payload)} bytes ignored",
                   pong_is_ignored(payload))


def at_the_limit(peer):
    payload = payload_of(BINARY, MESSAGE_BYTES_MAX)
    peer.send(frame(BINARY, payload))
    peer.expect_message(BINARY, payload)
    peer.close()


def limit_cases():
    over = MESSAGE_BYTES_MAX + 1
    half = bytes(MESSAGE_BYTES_MAX // 2)
    yield Case("10.4", "message at the limit echoed", at_the_limit)
    yield Case("10.4", "message over the limit refused by its header",
               refused(frame(BINARY, length=over), 1009))
    yield Case("10.4", "whole message over the limit refused",
               refused(frame(BINARY, bytes(over)), 1009))
    yield Case("10.4", "frame of 2^63-1 bytes refused",
               refused(frame(BINARY, length=(1 << 63) - 1), 1009))
    yield Case("10.4", "fragments over the limit in sum refused",
               refused(frame(BINARY, half, fin=False) + frame(CONTINUATION, half, fin=False) +
                       frame(CONTINUATION, b"x"), 1009))


def cases():
    yield from length_cases()
    yield Case("5.2", "300 frames in one write echoed in order", many_in_one_write)
    for group in (mask_cases, minimal_length_cases, reserved_bit_cases, opcode_cases, control_cases,
                  limit_cases):
        yield from group()
