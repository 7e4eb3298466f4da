"""A server gets a port that nobody has, and keeps it while it is away."""

from __future__ import annotations

import socket

import pytest

from harness import ports


def test_a_port_is_given_once_and_is_not_one_of_outgoing_connections() -> None:
    given = [ports.free_port() for _ in range(100)]
    assert len(set(given)) == 100 and set(given) <= {*ports.ours()}
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getsockname()[1] not in ports.ours()


def test_a_port_that_somebody_listens_on_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    free = ports.free_port()
    with socket.create_server(("127.0.0.1", ports.free_port())) as server:
        taken = server.getsockname()[1]
        monkeypatch.setattr(ports, "_given", set())
        monkeypatch.setattr(ports, "ours", lambda: [taken] * 50 + [free])
        assert not ports.is_free(taken)
        assert ports.free_port() == free
