"""A case of the suite: a section of the RFC, a clause, and what shows that it holds."""
import dataclasses
import typing

from wire import Peer


@dataclasses.dataclass
class Case:
    section: str
    name: str
    check: typing.Callable[[Peer], None]
    opened: bool = True  # whether check() gets an open WebSocket; else a TCP connection


# What the suite starts the server with, so that limits are met without much data.
MESSAGE_BYTES_MAX = 256 * 1024


def exchange(sent, wanted):
    """A check: what `sent` gives in one write is answered by `wanted`, calls on the peer."""
    def check(peer):
        peer.send(sent)
        wanted(peer)
    return check


def refused(sent, code):
    return exchange(sent, lambda peer: peer.expect_failed(code))
