"""Running something for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar


class Part(Protocol):
    """What is started and stopped; `stop` also tidies up after a start that went wrong half-way."""

    def start(self) -> object: ...

    def stop(self) -> object: ...


P = TypeVar("P", bound=Part)


@contextmanager
def started(part: P) -> Iterator[P]:
    """Starts it, and stops it whatever happens."""
    try:
        part.start()
        yield part
    finally:
        part.stop()
