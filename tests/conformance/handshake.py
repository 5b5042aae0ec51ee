"""The opening handshake as the server must judge and answer it (§4.2)."""
from case import Case
from wire import CLOSE_PATIENCE_S, PING, TEXT, accept_key, frame, require

SAMPLE_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
SAMPLE_ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # both of §1.3


def without(name):
    return lambda headers: [header for header in headers if header[0] != name]


def with_value(name, value):
    return lambda headers: [(key, value if key == name else old) for key, old in headers]


def adding(*more):
    return lambda headers: headers + list(more)


def names_by(change):
    return lambda headers: [(change(key), value) for key, value in headers]


# ---- What is accepted

ACCEPTED = {
    "as it should be": adding(),
    "header names in lower case": names_by(str.lower),
    "header names in upper case": names_by(str.upper),
    "Upgrade: WebSocket": with_value("Upgrade", "WebSocket"),
    "Connection: upgrade": with_value("Connection", "upgrade"),
    "Connection: keep-alive, Upgrade": with_value("Connection", "keep-alive, Upgrade"),
    "Connection: UPGRADE,keep-alive": with_value("Connection", "UPGRADE,keep-alive"),
    "Connection in two lines": adding(("Connection", "keep-alive")),
    "an Origin": adding(("Origin", "https://example.com")),
    "cookies and other headers": adding(("Cookie", "a=b"), ("X-Forwarded-For", "192.0.2.1")),
    "blanks around values": with_value("Sec-WebSocket-Version", " \t13 \t"),
    "an unknown extension": adding(("Sec-WebSocket-Extensions", "x-unknown; a=1")),
    "Content-Length: 0": adding(("Content-Length", "0")),
}


def accepted(change, deliver):
    def check(peer):
        deliver(peer, peer.request(change(peer.handshake_headers(SAMPLE_KEY))))
        answer = peer.read_answer()
        require(answer.line.startswith("HTTP/1.1 101 "), answer.line)
        require(answer.one("upgrade").lower() == "websocket", "no Upgrade: websocket")
        require(answer.one("connection").lower() == "upgrade", "no Connection: Upgrade")
        require(answer.one("sec-websocket-accept") == SAMPLE_ACCEPT == accept_key(SAMPLE_KEY),
                "wrong Sec-WebSocket-Accept")
        for unasked in ("sec-websocket-extensions", "sec-websocket-protocol", "content-length",
                        "transfer-encoding"):
            require(not answer.all(unasked), f"{unasked} in the answer")
        peer.expect_alive()
        peer.close()
    return check


def in_one_write(peer, data):
    peer.send(data)


def in_octets(peer, data):
    peer.send_chopped(data, 1)


def frames_behind_the_request(peer):
    peer.send(peer.request(peer.handshake_headers()), frame(TEXT, b"early"), frame(PING, b"bird"))
    require(peer.read_answer().status == 101, "not accepted")
    peer.expect_message(TEXT, b"early")
    peer.expect_pong(b"bird")


def frame_cut_behind_the_request(peer):
    early = frame(TEXT, b"early")
    peer.send(peer.request(peer.handshake_headers()), early[:3])
    require(peer.read_answer().status == 101, "not accepted")
    peer.send(early[3:])
    peer.expect_message(TEXT, b"early")


def subprotocol(offer):
    """Either none, or one of those that were offered (§4.2.2 item 5)."""
    def check(peer):
        answer = peer.open(("Sec-WebSocket-Protocol", offer))
        chosen = answer.all("sec-websocket-protocol")
        require(len(chosen) <= 1 and all(name in offer.split(", ") for name in chosen),
                f"subprotocols {chosen}")
        peer.expect_alive()
    return check


def another_key(peer):
    """open() makes a random key and checks the answer to it."""
    peer.open()
    peer.expect_alive()


# ---- What is refused

REFUSED = {
    "Upgrade missing": (without("Upgrade"), 426),
    "Upgrade: h2c": (with_value("Upgrade", "h2c"), 426),
    "Connection missing": (without("Connection"), 400),
    "Connection: keep-alive": (with_value("Connection", "keep-alive"), 400),
    "Connection: upgraded": (with_value("Connection", "upgraded"), 400),
    "Host missing": (without("Host"), 400),
    "Host twice": (adding(("Host", "example.com")), 400),
    "Sec-WebSocket-Key missing": (without("Sec-WebSocket-Key"), 400),
    "Sec-WebSocket-Key empty": (with_value("Sec-WebSocket-Key", ""), 400),
    "Sec-WebSocket-Key of 15 bytes": (with_value("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA"), 400),
    "Sec-WebSocket-Key of 17 bytes":
        (with_value("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZXM="), 400),
    "Sec-WebSocket-Key not base64":
        (with_value("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j*Q=="), 400),
    "Sec-WebSocket-Key twice": (adding(("Sec-WebSocket-Key", SAMPLE_KEY)), 400),
    "Sec-WebSocket-Version missing": (without("Sec-WebSocket-Version"), 426),
    "Sec-WebSocket-Version twice": (adding(("Sec-WebSocket-Version", "8")), 426),
    "a body": (adding(("Content-Length", "5")), 400),
    "subprotocol with a blank": (adding(("Sec-WebSocket-Protocol", "a b")), 400),
    "subprotocol twice": (adding(("Sec-WebSocket-Protocol", "chat, chat")), 400),
}


def refused(change, status, method="GET", version="HTTP/1.1"):
    def check(peer):
        peer.send(peer.request(change(peer.handshake_headers()), method, version))
        answer = peer.read_answer()
        require(answer.status == status, f"{answer.line}, not {status}")
        require(not answer.all("sec-websocket-accept"), "a refusal with Sec-WebSocket-Accept")
        if status == 426:
            names_the_upgrade(answer)
    return check


def names_the_upgrade(answer):
    """A 426 says what it wants (RFC 9110 §15.5.22)."""
    require("websocket" in [value.lower() for value in answer.all("upgrade")],
            "426 without Upgrade: websocket")


def wrong_version(version):
    """§4.2.2 item 4: the version that is wanted is named."""
    def check(peer):
        change = with_value("Sec-WebSocket-Version", version)
        peer.send(peer.request(change(peer.handshake_headers())))
        answer = peer.read_answer()
        require(answer.status == 426, f"{answer.line}, not 426")
        require(answer.one("sec-websocket-version") == "13", "another version is named")
        names_the_upgrade(answer)
        peer.socket.settimeout(CLOSE_PATIENCE_S)
        while peer.receive():
            pass
    return check


def cases():
    for name, change in ACCEPTED.items():
        yield Case("4.2.2", f"accepted: {name}", accepted(change, in_one_write), False)
    yield Case("4.2.2", "accepted: in octets", accepted(adding(), in_octets), False)
    yield Case("4.2.2", "accepted: another key", another_key, False)
    yield Case("4.2.2", "frames behind the request", frames_behind_the_request, False)
    yield Case("4.2.2", "half a frame behind the request", frame_cut_behind_the_request, False)
    for offer in ("chat", "chat, superchat"):
        yield Case("4.2.2", f"subprotocol: {offer}", subprotocol(offer), False)
    for name, (change, status) in REFUSED.items():
        yield Case("4.2.1", f"refused: {name}", refused(change, status), False)
    for method in ("POST", "PUT", "OPTIONS"):
        yield Case("4.2.1", f"refused: {method}", refused(adding(), 400, method=method), False)
    yield Case("4.2.1", "refused: HTTP/1.0", refused(adding(), 400, version="HTTP/1.0"), False)
    for version in ("0", "8", "12", "14", "255", "13, 8", "013", "x"):
        yield Case("4.2.2", f"refused: version {version}", wrong_version(version), False)
