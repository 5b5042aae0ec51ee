#!/usr/bin/env python3
"""Every MUST of RFC 6455 and RFC 7692 for a server, one case each, against the built server.

RINGROOM_BINARY names the executable, RINGROOM_SERVE_ARGS more arguments for it. With words behind
the command only the cases whose names have one of them are run.
"""
import os
import re
import shlex
import signal
import subprocess
import sys

import closing
import deflate
import framing
import handshake
import messages
from case import MESSAGE_BYTES_MAX
from wire import Peer, Violation

READY = re.compile(r"ringroom listening on http://([\d.]+):(\d+) ")
ROOMS = 8  # so that with several shards some are at home where the connection came in


class Server:
    def __init__(self):
        arguments = ["serve", "--listen", "127.0.0.1:0", "--shards", "1", "--admin", "off",
                     "--data", ":memory:",
                     "--message-bytes-max", str(MESSAGE_BYTES_MAX)]
        arguments = overridden(arguments, shlex.split(os.environ.get("RINGROOM_SERVE_ARGS", "")))
        self.process = subprocess.Popen([os.environ["RINGROOM_BINARY"], *arguments],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        ready = READY.match(line)
        if not ready:
            sys.exit(f"the server did not start: {line!r}, exit code {self.process.wait()}")
        self.address = (ready.group(1), int(ready.group(2)))

    def stop(self):
        """Its exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def overridden(arguments, more):
    """`more`, pairs of a flag and its value, in the place of the same flags."""
    pairs = dict(zip(arguments[1::2], arguments[2::2]))
    pairs.update(zip(more[0::2], more[1::2]))
    return [arguments[0], *(word for pair in pairs.items() for word in pair)]


def all_cases():
    for module in (handshake, framing, messages, closing, deflate):
        yield from module.cases()


def fault_of(case, address, room):
    """None, or what is wrong."""
    peer = Peer(address, f"/agents/echo/x{room}")
    try:
        if case.opened:
            peer.open()
        case.check(peer)
    except (Violation, OSError, ValueError) as fault:
        return f"{type(fault).__name__}: {fault}"
    finally:
        peer.shut()
    return None


def main():
    wanted = sys.argv[1:]
    server = Server()
    passed = failed = 0
    for number, case in enumerate(all_cases()):
        if wanted and not any(word in case.name for word in wanted):
            continue
        if server.process.poll() is not None:
            sys.exit(f"the server died before §{case.section} {case.name}")
        fault = fault_of(case, server.address, number % ROOMS)
        if fault is None:
            passed += 1
        else:
            failed += 1
            print(f"FAILED | §{case.section:<11} | {case.name} | {fault}", flush=True)
    code = server.stop()
    if code != 0:
        failed += 1
        print(f"FAILED | {'end':<12} | the server ends with 0 | {code}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
