"""The proxy as a whole: a TLS listener on loopback in a thread of its own, and the record of what went through."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness import tls
from harness.proxy.forward import Client, Upstream
from harness.proxy.messages import LIMIT, Broken, Request, read_request
from harness.proxy.narrow import narrowed
from harness.proxy.points import Classifier, summary
from harness.proxy.rules import Fault, Rule, Rules
from harness.waiting import until

# Shorter than the back-off after an attempt without an answer.
LATEST = 8.0


@dataclass(frozen=True)
class Seen:
    """One request that reached the proxy, in order of arrival."""

    point: str | None
    method: str
    path: str
    summary: str
    fault: Fault | None


class FaultProxy:
    """Forwards to one `upstream` URL, which may be without TLS; it speaks TLS itself.

    A crash fault calls `on_crash`, which must return when the victim is dead. A late request is sent after `latest`
    seconds even when nothing else came at its point. With a `selector`, who comes through here is shown only those of
    our cluster-scoped objects that have its labels. `on_request` is shown every request before it is carried, and
    `on_answer` every request that the server has answered, with the status, whether or not anybody is told of the
    answer. Both must return at once, as the proxy waits for them.
    """

    def __init__(
        self,
        upstream: str,
        upstream_ca: Path,
        certificates: tls.Certificates,
        *,
        selector: str = "",
        latest: float = LATEST,
    ) -> None:
        address = urlsplit(upstream)
        assert address.hostname is not None and address.port is not None
        outgoing: ssl.SSLContext | None = None
        if address.scheme == "https":
            outgoing = ssl.create_default_context(cafile=str(upstream_ca))
            outgoing.set_alpn_protocols(["http/1.1"])
        self._upstream = Upstream(address.hostname, address.port, outgoing, latest, self._answered)
        self._incoming = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._incoming.load_cert_chain(certificates.cert, certificates.key)
        self._incoming.set_alpn_protocols(["http/1.1"])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._classifier = Classifier()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._lock = threading.Lock()
        self._selector = selector
        self._seen: list[Seen] = []
        self.rules = Rules()
        self.on_crash: Callable[[], None] = lambda: None
        self.on_request: Callable[[Request], None] = lambda _: None
        self.on_answer: Callable[[Request, int], None] = lambda _request, _status: None
        self.ca = certificates.ca
        self.endpoint = ""

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def fault(
        self, point: str, fault: Fault, occurrence: int = 1, only: Callable[[Request], bool] = lambda _: True
    ) -> Rule:
        """Put a rule in force; wait for `rule.happened` to know that it was carried out."""
        return self.rules.add(Rule(point, fault, occurrence, only))

    def seen(self, point: str | None = None) -> list[Seen]:
        """What went through so far, optionally of one point only."""
        with self._lock:
            return [one for one in self._seen if point is None or one.point == point]

    def forget(self) -> None:
        """Drop the rules and the record: what comes now is another story."""
        self.rules.clear()
        with self._lock:
            self._seen.clear()

    def holds_back(self) -> bool:
        """Whether a late request has not been executed yet."""
        return bool(self._upstream.late)

    def release(self) -> None:
        """Let go of every request that hangs."""
        self._loop.call_soon_threadsafe(self._upstream.released.set)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._incoming, limit=LIMIT)
        port = self._server.sockets[0].getsockname()[1]
        self.endpoint = f"https://127.0.0.1:{port}"

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        tasks = [*self._connections, *self._upstream.late]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        client = Client(reader, writer)
        try:
            while (request := await read_request(reader)) is not None:
                if not await self._carry(request, client):
                    return
        except (Broken, OSError, asyncio.CancelledError):
            # A connection that breaks is what a network does; both sides see it as such.
            return
        finally:
            client.abort()
            self._connections.discard(task)

    async def _carry(self, request: Request, client: Client) -> bool:
        """Carry one request; whether the connection may carry another one."""
        if self._selector:
            request = narrowed(request, self._selector)
        point = self._classifier.point(request)
        rule = self.rules.match(point, request)
        fault = rule.fault if rule is not None else None
        with self._lock:
            self._seen.append(Seen(point, request.method, request.path, summary(request), fault))
        self.on_request(request)
        if rule is None:
            goes_on = await self._upstream.pass_through(request, client)
            self._upstream.answered(point)
            return goes_on
        try:
            await self._upstream.inject(rule, point, request, client, self._crash)
        finally:
            # Also when the client did not wait for the end of it.
            rule.happened.set()
        return False

    def _answered(self, request: Request, status: int) -> None:
        self._classifier.answered(request, status)
        self.on_answer(request, status)

    async def _crash(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.on_crash)


def wait_for(rule: Rule, deadline: float = 30.0) -> None:
    """Wait until the fault of a rule was carried out."""
    until(rule.happened.is_set, f"fault {rule.fault.value} at {rule.point}", deadline)
