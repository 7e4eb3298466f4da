"""Carrying one request to the server and its answer back, whole or with a fault."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable

from harness.proxy.messages import (
    LIMIT,
    Answer,
    Broken,
    Head,
    Request,
    bodiless,
    made_answer,
    pieces,
    read_head,
    status_of,
)
from harness.proxy.rules import Fault, Rule

# Status: the phrase, Kubernetes' reason, the management API's problem type. A 504 comes from something on the way.
REASONS = {
    409: ("Conflict", "Conflict", "name-taken"),
    429: ("Too Many Requests", "TooManyRequests", "too-many-requests"),
    500: ("Internal Server Error", "InternalError", "internal"),
    503: ("Service Unavailable", "ServiceUnavailable", "unavailable"),
    504: ("Gateway Timeout", "Timeout", "about:blank"),
}


class Client:
    """The client's side of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def abort(self) -> None:
        """Close without a TLS goodbye, as a machine that vanishes does."""
        self._writer.transport.abort()

    async def finish(self) -> None:
        """Send what is buffered, then close: what was sent so far must arrive."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except (OSError, ssl.SSLError):
            return

    async def gone(self) -> None:
        """Return when the client has closed; a client that waits for an answer sends nothing."""
        await self._reader.read(1)


def made_refusal(status: int, request: Request) -> Answer:
    """The refusal that an API server, the management server or Garage would send."""
    phrase, reason, problem_type = REASONS[status]
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    if request.path.startswith("/v2/"):
        # Garage takes no id twice; any other refusal with a 409 is not its own.
        code = "KeyAlreadyExists" if (status, request.path) == (409, "/v2/ImportKey") else reason
        refusal = {"code": code, "message": "injected", "region": "garage", "path": request.path}
        return made_answer(status, phrase, refusal, {"Content-Type": "application/json", **headers})
    if request.path.startswith("/api"):
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": status}
        return made_answer(
            status,
            phrase,
            {**body, "reason": reason, "message": "injected"},
            {"Content-Type": "application/json", **headers},
        )
    problem = {"type": problem_type, "title": phrase, "status": status, "detail": "injected"}
    return made_answer(status, phrase, problem, {"Content-Type": "application/problem+json", **headers})


class Upstream:
    """The server behind the proxy. Every request gets a connection of its own, so none is ever stale."""

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        latest: float,
        answered: Callable[[Request, int], None],
    ) -> None:
        """`answered` is told of every answer of the server, also of those that nobody else gets to see."""
        self._answered = answered
        self._host = host
        self._latest = latest
        self._port = port
        self._context = context
        self._waiting: dict[str, list[asyncio.Event]] = {}
        self.late: set[asyncio.Task[None]] = set()
        self.released = asyncio.Event()

    async def _open(self, request: Request) -> tuple[Head, asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a request; its answer's head, after any interim ones."""
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._context, limit=LIMIT)
        writer.write(request.raw)
        await writer.drain()
        while True:
            head = await read_head(reader)
            if head is None:
                writer.transport.abort()
                raise Broken("the server closed without an answer")
            if not 100 <= status_of(head) < 200:
                self._answered(request, status_of(head))
                return head, reader, writer

    async def _exchange(self, request: Request) -> Answer:
        """Send a request and read the whole answer."""
        head, reader, writer = await self._open(request)
        try:
            parts = pieces(reader, head, is_answer=True, no_body=bodiless(request, head))
            return Answer(head, b"".join([piece async for piece in parts]))
        finally:
            writer.transport.abort()

    async def pass_through(self, request: Request, client: Client) -> bool:
        """Carry a request as it is, the answer piece by piece; whether the connection may go on."""
        head, reader, writer = await self._open(request)
        try:
            await client.send(head.raw)
            no_body = bodiless(request, head)
            async for piece in pieces(reader, head, is_answer=True, no_body=no_body):
                await client.send(piece)
        finally:
            writer.transport.abort()
        unframed = head.length() is None and not head.chunked and not no_body
        return not (head.closes or request.head.closes or unframed)

    def answered(self, point: str | None) -> None:
        """A request of this point was answered: what was held back for it may go."""
        for event in self._waiting.pop(point or "", []):
            event.set()

    async def inject(
        self, rule: Rule, point: str | None, request: Request, client: Client, crash: Callable[[], Awaitable[None]]
    ) -> None:
        """Carry a request with the fault of `rule`; afterwards the connection is closed."""
        match rule.fault:
            case Fault.CRASH_BEFORE:
                await crash()
            case Fault.CRASH_AFTER:
                await self._exchange(request)
                await crash()
            case Fault.DROP_BEFORE:
                pass
            case Fault.DROP_AFTER:
                await self._exchange(request)
            case Fault.LATE:
                self._send_later(point or "", request)
            case Fault.DUPLICATE:
                answer = await self._exchange(request)
                await self._exchange(request)
                await client.send(answer.raw)
                await client.finish()
            case Fault.TRUNCATE:
                answer = await self._exchange(request)
                await client.send(answer.head.raw + answer.body[: len(answer.body) // 2])
                await client.finish()
            case Fault.REWRITE:
                await client.send(rule.answer(request, await self._exchange(request)))
                await client.finish()
            case Fault.INSTEAD:
                await client.send(rule.answer(request, None))
                await client.finish()
            case Fault.HANG:
                await self._hang(client)
            case Fault.ANSWER_409 | Fault.ANSWER_429 | Fault.ANSWER_500 | Fault.ANSWER_503 | Fault.ANSWER_504:
                status = rule.fault.status
                assert status is not None
                await client.send(made_refusal(status, request).raw)
                await client.finish()

    async def _hang(self, client: Client) -> None:
        waits = [asyncio.ensure_future(client.gone()), asyncio.ensure_future(self.released.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    def _send_later(self, point: str, request: Request) -> None:
        turn = asyncio.Event()
        self._waiting.setdefault(point, []).append(turn)

        async def later() -> None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(turn.wait(), self._latest)
            try:
                await self._exchange(request)
            except (Broken, OSError):
                return

        task = asyncio.get_running_loop().create_task(later())
        self.late.add(task)
        task.add_done_callback(self.late.discard)
