"""The closing handshake: codes, payloads, what comes before and after it (§5.5.1, §7)."""
import socket

from case import Case, refused
from wire import BINARY, CLOSE, CONTINUATION, PING, TEXT, close_payload, frame

VALID_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999,
               4000, 4999)
INVALID_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)


def answered(payload, bytes_each=None):
    """The server answers with the same code and closes the TCP connection itself (§7.1.1)."""
    def check(peer):
        data = frame(CLOSE, payload)
        peer.send_chopped(data, bytes_each or len(data))
        peer.expect_close_frame(payload)
        peer.expect_end()
    return check


def behind_everything_before(peer):
    peer.send(frame(TEXT, b"first"), frame(PING, b"second"), frame(BINARY, b"third"),
              frame(CLOSE, close_payload(1000)))
    peer.expect_message(TEXT, b"first")
    peer.expect_pong(b"second")
    peer.expect_message(BINARY, b"third")
    peer.expect_close_frame(close_payload(1000))
    peer.expect_end()


def behind_a_large_echo(peer):
    payload = bytes(200_000)
    peer.send(frame(BINARY, payload), frame(CLOSE, close_payload(1001)))
    peer.expect_message(BINARY, payload)
    peer.expect_close_frame(close_payload(1001))
    peer.expect_end()


def followed_by(*frames):
    """What comes after a close frame is neither processed nor answered (§1.4, §5.5.1)."""
    def check(peer):
        peer.send(frame(CLOSE, close_payload(1000)), *frames)
        peer.expect_close_frame(close_payload(1000))
        peer.expect_end()
    return check


def followed_later(peer):
    peer.send(frame(CLOSE, close_payload(1000)))
    peer.expect_close_frame(close_payload(1000))
    peer.send(frame(TEXT, b"late"), frame(PING, b"late"))
    peer.expect_end()


def inside_of_a_message(peer):
    peer.send(frame(TEXT, b"never finished", fin=False), frame(CLOSE, close_payload(1000)))
    peer.expect_close_frame(close_payload(1000))
    peer.expect_end()


def half_closed(peer):
    """A client may end its direction with its close frame; ours still gets all the answers."""
    peer.send(frame(TEXT, b"last words"), frame(CLOSE, close_payload(1000)))
    peer.socket.shutdown(socket.SHUT_WR)
    peer.expect_message(TEXT, b"last words")
    peer.expect_close_frame(close_payload(1000))
    peer.expect_end()


def vanished(peer):
    """The stream ends without a close frame: the server ends it too, without a word (§7.1.5)."""
    peer.expect_alive()
    peer.socket.shutdown(socket.SHUT_WR)
    peer.expect_end()


def failed_once(peer):
    """After its own close frame the server sends nothing any more (§7.1.7)."""
    peer.send(frame(TEXT, b"before"), frame(TEXT, b"bad", rsv=7), frame(TEXT, b"after"),
              frame(PING, b"after"), frame(CLOSE, close_payload(1000)))
    peer.expect_message(TEXT, b"before")
    peer.expect_failed(1002)


def cases():
    for code in VALID_CODES:
        yield Case("7.4", f"code {code} answered", answered(close_payload(code)))
    for code in INVALID_CODES:
        yield Case("7.4", f"code {code} refused", refused(frame(CLOSE, close_payload(code)), 1002))
        yield Case("7.4", f"code {code} with a reason refused",
                   refused(frame(CLOSE, close_payload(code, b"reason")), 1002))
    yield Case("5.5.1", "empty close answered with an empty one", answered(b""))
    yield Case("5.5.1", "close of one byte refused", refused(frame(CLOSE, b"\x03"), 1002))
    for reason in (b"bye", "žluťoučký kůň 🐎".encode(), b"x" * 123):
        payload = close_payload(1000, reason)
        name = f"close with a reason of {len(reason)} bytes"
        yield Case("5.5.1", f"{name} answered", answered(payload))
        yield Case("5.5.1", f"{name} in octets answered", answered(payload, 1))
    for reason in (b"\x80", b"ok\xff", b"\xe2\x82", b"\xed\xa0\x80", b"x" * 120 + b"\xf4\x90\x80"):
        yield Case("8.1", f"close with the reason …{reason[-4:].hex(' ')} refused",
                   refused(frame(CLOSE, close_payload(1000, reason)), 1007))
    yield Case("5.5.1", "close answered behind everything before", behind_everything_before)
    yield Case("5.5.1", "close answered behind a large echo", behind_a_large_echo)
    yield Case("5.5.1", "text after close ignored", followed_by(frame(TEXT, b"late")))
    yield Case("5.5.1", "ping after close ignored", followed_by(frame(PING, b"late")))
    yield Case("5.5.1", "second close ignored", followed_by(frame(CLOSE, close_payload(1001))))
    yield Case("5.5.1", "nonsense after close ignored", followed_by(b"\xff" * 1000))
    yield Case("5.5.1", "large message after close ignored",
               followed_by(frame(BINARY, bytes(200_000))))
    yield Case("5.5.1", "data long after close ignored", followed_later)
    yield Case("5.5.1", "close inside of a fragmented message answered", inside_of_a_message)
    yield Case("5.5.1", "close then the end of the stream answered", half_closed)
    yield Case("7.1.5", "end of the stream without a close", vanished)
    yield Case("7.1.7", "nothing follows the close frame of a failure", failed_once)
    yield Case("7.1.7", "failure inside of a message",
               refused(frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b", rsv=1), 1002))
