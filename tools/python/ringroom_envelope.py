"""Reads Ringroom's envelopes (proto/README.md), without anything but Python's own library.

    from ringroom_envelope import read
    envelope = read(data)        # bytes of a binary message, or str of a text message
    for message in envelope.messages: print(message.type, message.payload)

    python3 ringroom_envelope.py FILE...     # prints each message of files as one line of JSON

read() gives None for a message that is no envelope, and raises ValueError for a malformed one.
"""
import base64
import binascii
import dataclasses
import json
import struct
import sys
import typing

IDENTIFIER = b"RRE1"
MESSAGES_MAX = 16_384


@dataclasses.dataclass(frozen=True)
class Message:
    type: str
    payload: typing.Any  # bytes; str if kind is "text"; a JSON value if it is "json"
    kind: str = "bytes"
    key: str = ""
    age_ms: int = 0


@dataclasses.dataclass(frozen=True)
class Envelope:
    messages: list
    timestamp_ms: int = 0
    sequence: int = 0
    missed: int = 0


def read(data):
    try:
        return _read_text(data) if isinstance(data, str) else _read_flat(bytes(data))
    except (struct.error, UnicodeDecodeError, binascii.Error, KeyError, TypeError) as error:
        raise ValueError(f"a malformed envelope: {error}") from error


def _read_text(text):
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
        return None
    messages = [_message_of_json(entry) for entry in value["messages"]]
    return Envelope(messages, int(value.get("timestamp", 0)), int(value.get("sequence", 0)),
                    int(value.get("missed", 0)))


def _message_of_json(entry):
    payload, kind = entry.get("payload", ""), "json"
    if "payload" not in entry or entry.get("encoding") == "base64":
        payload, kind = base64.b64decode(payload, validate=True), "bytes"
    elif isinstance(payload, str):
        kind = "text"
    return Message(entry["type"], payload, kind, entry.get("key", ""), entry.get("age", 0))


class _Table:
    """A FlatBuffers table: fields are found through its vtable, and may be missing."""

    def __init__(self, data, at):
        self.data, self.at = data, at
        self.vtable = at - self._number("<i", at)
        self.vtable_bytes = self._number("<H", self.vtable)

    def _number(self, form, at):
        if at < 0:
            raise struct.error("an offset points before the buffer")
        return struct.unpack_from(form, self.data, at)[0]

    def place(self, field):
        slot = 4 + 2 * field
        offset = self._number("<H", self.vtable + slot) if slot < self.vtable_bytes else 0
        return self.at + offset if offset else None

    def number(self, field, form):
        at = self.place(field)
        return 0 if at is None else self._number(form, at)

    def target(self, field):
        at = self.place(field)
        return None if at is None else at + self._number("<I", at)

    def bytes(self, field):
        at = self.target(field)
        if at is None:
            return b""
        size = self._number("<I", at)
        if at + 4 + size > len(self.data):
            raise struct.error("a vector ends behind the buffer")
        return self.data[at + 4:at + 4 + size]


def _read_flat(data):
    if data[4:8] != IDENTIFIER:
        return None
    envelope = _Table(data, struct.unpack_from("<I", data)[0])
    messages = []
    vector = envelope.target(2)
    if vector is not None:
        count = struct.unpack_from("<I", data, vector)[0]
        if count > MESSAGES_MAX:
            raise struct.error("too many messages")
        for at in range(vector + 4, vector + 4 + 4 * count, 4):
            messages.append(_message_of(_Table(data, at + struct.unpack_from("<I", data, at)[0])))
    return Envelope(messages, envelope.number(0, "<q"), envelope.number(1, "<Q"),
                    envelope.number(3, "<I"))


def _message_of(table):
    kind = {1: "text", 2: "json"}.get(table.number(4, "<B"), "bytes")
    payload = table.bytes(1)
    if kind == "text":
        payload = payload.decode()
    elif kind == "json":
        payload = json.loads(payload)
    return Message(table.bytes(0).decode(), payload, kind, table.bytes(2).decode(),
                   table.number(3, "<I"))


def _main():
    for name in sys.argv[1:]:
        with open(name, "rb") as file:
            data = file.read()
        envelope = read(data) or read(data.decode())
        if envelope is None:
            raise SystemExit(f"{name}: no envelope")
        for message in envelope.messages:
            line = dataclasses.asdict(message)
            if message.kind == "bytes":
                line["payload"] = message.payload.hex()
            print(json.dumps({"sequence": envelope.sequence, "missed": envelope.missed,
                              "timestamp_ms": envelope.timestamp_ms, **line}))


if __name__ == "__main__":
    _main()
