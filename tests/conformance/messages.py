"""Messages: fragments (§5.4) and UTF-8, refused at the first octet that can't be right (§8.1)."""
from case import Case, refused
from wire import BINARY, CONTINUATION, PING, TEXT, frame


def fragments(opcode, pieces):
    last = len(pieces) - 1
    return b"".join(frame(CONTINUATION if at else opcode, piece, fin=at == last)
                    for at, piece in enumerate(pieces))


def octets(data):
    return [data[at:at + 1] for at in range(len(data))]


def echo(opcode, payload, data, bytes_each=None):
    def check(peer):
        peer.send_chopped(data, bytes_each or len(data))
        peer.expect_message(opcode, payload)
        peer.expect_alive()
    return check


FRAGMENTS = {
    "two": [b"Hel", b"lo"],
    "three with an empty one": [b"Hel", b"", b"lo"],
    "an empty first one": [b"", b"Hello"],
    "an empty last one": [b"Hello", b""],
    "empty ones only": [b"", b"", b""],
    "100 of one byte": octets(b"0123456789" * 10),
    "three of 20,000 bytes": [b"a" * 20_000, b"b" * 20_000, b"c" * 20_000],
}

BAD_SEQUENCES = {
    "continuation first": frame(CONTINUATION, b"x"),
    "unfinished continuation first": frame(CONTINUATION, b"x", fin=False),
    "empty continuation first": frame(CONTINUATION),
    "text inside of a text": frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
    "binary inside of a text": frame(TEXT, b"a", fin=False) + frame(BINARY, b"b"),
    "text inside of a binary": frame(BINARY, b"a", fin=False) + frame(TEXT, b"b"),
    "unfinished text inside of a text": frame(TEXT, b"", fin=False) + frame(TEXT, b"", fin=False),
    "text behind a continuation that isn't the last":
        frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b", fin=False) + frame(TEXT, b"c"),
}


def continuation_after_the_end(peer):
    peer.send(fragments(TEXT, [b"a", b"b"]), frame(CONTINUATION, b"c"))
    peer.expect_message(TEXT, b"ab")
    peer.expect_failed(1002)


def text_behind_ping(peer):
    peer.send(frame(TEXT, b"a", fin=False), frame(PING, b"ping"), frame(TEXT, b"b"))
    peer.expect_pong(b"ping")
    peer.expect_failed(1002)


def fragmentation_cases():
    for name, pieces in FRAGMENTS.items():
        whole = b"".join(pieces)
        for opcode, kind in ((TEXT, "text"), (BINARY, "binary")):
            data = fragments(opcode, pieces)
            yield Case("5.4", f"{kind} in fragments: {name}", echo(opcode, whole, data))
            yield Case("5.4", f"{kind} in fragments, chopped: {name}",
                       echo(opcode, whole, data, 7 if len(data) < 1000 else 997))
    for name, data in BAD_SEQUENCES.items():
        yield Case("5.4", f"{name} refused", refused(data, 1002))
    yield Case("5.4", "continuation after the last one refused", continuation_after_the_end)
    yield Case("5.4", "text inside of a text behind a ping refused", text_behind_ping)


VALID_TEXTS = (
    "κόσμε", "ß", "\0", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd",
    "\ufffe", "\uffff", "\U00010000", "\U0001f40e", "\U0010ffff", "žluťoučký kůň 🐎 " * 40,
)

# Texts that are wrong from an octet on, cut behind it: whatever followed could not mend them.
WRONG_BEGINNINGS = (
    b"\x80", b"\xbf", b"abc\x80", b"\xce\xba\xe1\xbd\xb9\x80",        # continuation without a start
    b"\xc0", b"\xc1", b"\xf5", b"\xf8", b"\xfc", b"\xfe", b"\xff",     # never in UTF-8
    b"\xe0\x80", b"\xe0\x9f", b"\xf0\x80", b"\xf0\x8f",                # longer than needed
    b"\xed\xa0", b"\xed\xbf",                                          # surrogates
    b"\xf4\x90",                                                       # above U+10FFFF
    b"\xc3a", b"\xe2\x82a", b"\xf0\x9f\x90a",                          # a character cut off
    b"\xce\xba\xcf\x8c\xcf\x83\xce\xbc\xce\xb5\xf4\x90",
    b"a" * 300 + b"\xed\xa0",
)

# Right so far, but without the end of their last character.
UNFINISHED = (b"\xc3", b"\xe2\x82", b"\xf0", b"\xf0\x9f", b"\xf0\x9f\x90", b"abc\xe2",
              b"x" * 200 + b"\xf0")


def fails_inside_of_a_frame(start):
    """Only the wrong octet is sent; the frame's end stays out, and the 1007 must come anyway."""
    def check(peer):
        peer.send(frame(TEXT, start, length=len(start) + 50))
        peer.expect_failed(1007)
    return check


def fails_in_octets(start):
    def check(peer):
        peer.send_chopped(frame(TEXT, start, length=len(start) + 50), 1)
        peer.expect_failed(1007)
    return check


def fails_inside_of_a_message(start):
    return refused(frame(TEXT, b"ok ", fin=False) + frame(CONTINUATION, start, fin=False), 1007)


def fails_across_fragments(start):
    pieces = [frame(CONTINUATION if at else TEXT, octet, fin=False)
              for at, octet in enumerate(octets(start))]
    return refused(b"".join(pieces), 1007)


def pause_in_a_character(peer):
    """Half a character is no error, however long the rest takes."""
    peer.send(frame(TEXT, b"\xf0\x9f", fin=False))
    peer.expect_alive()
    peer.send(frame(CONTINUATION, b"\x90", fin=False))
    peer.expect_alive()
    peer.send(frame(CONTINUATION, b"\x8e"))
    peer.expect_message(TEXT, "🐎".encode())


def utf8_cases():
    for text in VALID_TEXTS:
        data = text.encode()
        name = ascii(text[:12])
        yield Case("8.1", f"text {name} echoed", echo(TEXT, data, frame(TEXT, data)))
        yield Case("8.1", f"text {name} echoed, in octets", echo(TEXT, data, frame(TEXT, data), 1))
        yield Case("8.1", f"text {name} echoed, in fragments of an octet",
                   echo(TEXT, data, fragments(TEXT, octets(data))))
    for start in WRONG_BEGINNINGS:
        name = start[-8:].hex(" ")
        yield Case("8.1", f"text …{name} refused", refused(frame(TEXT, start), 1007))
        yield Case("8.1", f"text …{name} refused inside of a frame", fails_inside_of_a_frame(start))
        yield Case("8.1", f"text …{name} refused in octets", fails_in_octets(start))
        yield Case("8.1", f"text …{name} refused inside of a message",
                   fails_inside_of_a_message(start))
        yield Case("8.1", f"text …{name} refused across fragments", fails_across_fragments(start))
        yield Case("8.1", f"binary …{name} echoed", echo(BINARY, start, frame(BINARY, start)))
    for end in UNFINISHED:
        name = end[-8:].hex(" ")
        yield Case("8.1", f"text ending in {name} refused", refused(frame(TEXT, end), 1007))
        yield Case("8.1", f"fragments ending in {name} refused",
                   refused(fragments(TEXT, octets(end)), 1007))
        yield Case("8.1", f"fragments ending in {name} and an empty one refused",
                   refused(fragments(TEXT, [end, b""]), 1007))
    yield Case("8.1", "half a character waits for its end", pause_in_a_character)


def cases():
    yield from fragmentation_cases()
    yield from utf8_cases()
