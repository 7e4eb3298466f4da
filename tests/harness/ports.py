"""Loopback ports."""

from __future__ import annotations

import socket
from pathlib import Path
from random import SystemRandom

# Above what is well known, and below what the system gives to outgoing connections: none of those takes the port of a
# server that is away for a moment.
_LOWEST = 10_000
_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")

_given: set[int] = set()
# Several of these processes may run at once: each asks at random, so that they seldom ask for the same port.
_random = SystemRandom()


def ours() -> list[int]:
    """The ports to choose from."""
    lowest, highest = map(int, _OUTGOING.read_text().split())
    usable = range(_LOWEST, 65_536)
    return [port for port in usable if not lowest <= port <= highest] or [*usable]


def free_port() -> int:
    """A port that nobody listens on now and that this process has not given out before."""
    ports = ours()
    while True:
        port = _random.choice(ports)
        if port not in _given and is_free(port):
            _given.add(port)
            return port


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
