"""HTTP/1.1 messages as the proxy needs them: requests whole, answers whole or as a stream of unbuffered pieces."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

LIMIT = 4 * 1024 * 1024


class Broken(Exception):
    """The peer closed in the middle of a message, or sent something that is not HTTP/1.1."""


@dataclass(frozen=True)
class Head:
    """A start line and the headers, with the bytes they came in."""

    start: str
    headers: dict[str, str]
    raw: bytes

    def length(self) -> int | None:
        """The content length, or None when none is given."""
        value = self.headers.get("content-length")
        return int(value) if value is not None else None

    @property
    def chunked(self) -> bool:
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


@dataclass(frozen=True)
class Request:
    """One whole request."""

    head: Head
    body: bytes

    @property
    def method(self) -> str:
        return self.head.start.split(" ")[0]

    @property
    def target(self) -> str:
        """Path and query, as they were sent."""
        return self.head.start.split(" ")[1]

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def is_watch(self) -> bool:
        return self.query.get("watch", ["false"])[0] in ("true", "1")

    @property
    def raw(self) -> bytes:
        return self.head.raw + self.body

    def json(self) -> Any:
        """The decoded body; an empty object when it is not a JSON object."""
        try:
            decoded = json.loads(self.content())
        except ValueError:
            return {}
        return decoded if isinstance(decoded, dict) else {}

    def content(self) -> bytes:
        """The body without chunk framing."""
        return unchunk(self.body) if self.head.chunked else self.body


@dataclass(frozen=True)
class Answer:
    """One whole answer, with the body as it was framed."""

    head: Head
    body: bytes

    @property
    def status(self) -> int:
        return status_of(self.head)

    @property
    def raw(self) -> bytes:
        return self.head.raw + self.body


def status_of(head: Head) -> int:
    return int(head.start.split(" ")[1])


def unchunk(body: bytes) -> bytes:
    """The content of a whole chunked body."""
    content = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return content
        content, body = content + rest[:length], rest[length + 2 :]
    return content


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head, or None when the peer closed between messages."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise Broken("closed within a head") from None
    except (asyncio.LimitOverrunError, ConnectionError) as error:
        raise Broken(str(error)) from None
    start, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Head(start, headers, raw)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The pieces of a chunked body with their framing, each as soon as it is there."""
    while True:
        line = await reader.readuntil(b"\r\n")
        length = int(line.split(b";")[0], 16)
        yield line + await reader.readexactly(length + 2)
        if length == 0:
            return


async def pieces(reader: asyncio.StreamReader, head: Head, *, is_answer: bool, no_body: bool) -> AsyncIterator[bytes]:
    """The body of a message in the pieces it arrives in, framing included."""
    try:
        length = head.length()
        if no_body or length == 0:
            return
        if head.chunked:
            async for piece in _chunks(reader):
                yield piece
        elif length is not None:
            yield await reader.readexactly(length)
        elif is_answer:
            while piece := await reader.read(65536):
                yield piece
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError) as error:
        raise Broken(str(error)) from None


def bodiless(request: Request, head: Head) -> bool:
    """Whether this answer has no body, whatever its headers say."""
    status = status_of(head)
    return request.method == "HEAD" or status in (204, 304) or 100 <= status < 200


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next whole request, or None when the client is done."""
    head = await read_head(reader)
    if head is None:
        return None
    body = b"".join([piece async for piece in pieces(reader, head, is_answer=False, no_body=False)])
    return Request(head, body)


def made_answer(status: int, reason: str, body: object, headers: dict[str, str]) -> Answer:
    """An answer that the proxy gives by itself."""
    content = json.dumps(body).encode()
    lines = {"Content-Length": str(len(content)), "Connection": "close", **headers}
    start = f"HTTP/1.1 {status} {reason}"
    raw = "\r\n".join([start, *(f"{name}: {value}" for name, value in lines.items()), "", ""]).encode()
    return Answer(Head(start, {name.lower(): value for name, value in lines.items()}, raw), content)
